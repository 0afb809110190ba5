'use strict';
// oxlint-disable unicorn/require-post-message-target-origin -- these are workers, not windows
// node --expose-gc test/stress.cjs ROUNDS: the main thread and four workers map, look, move, attach, resize and unmap at random,
// with work in flight and under the collector. For the sanitizers, which see what a test cannot; ends with 0 if nothing is left.
const assert = require('node:assert/strict');
const { closeSync, mkdtempSync, openSync, read, readFileSync, rmSync, writeFileSync } = require('node:fs');
const { tmpdir } = require('node:os');
const { join } = require('node:path');
const { isMainThread, MessageChannel, parentPort, Worker, workerData } = require('node:worker_threads');
const { allocZeroed, attach, mappings, mmap, supports } = require('../dist/index.js');

const WORKERS = 4;
const LENGTH = 1 << 18;
const HELD = 12;

/** xorshift32: the same rounds for the same seed. */
const random = (seed) => {
  let state = seed | 1;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
};

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** What two threads may do to one mapping that the other has just taken away. */
const allowed = new Set([
  'EBUSY',
  'EAGAIN',
  'ERR_OWNER_GONE',
  'ERR_STALE_HANDLE',
  'ERR_INVALID_STATE',
  'ERR_MISSING_OPTION',
  'ERR_OUT_OF_RANGE',
]);

const makeOperations = (file, fd, pick, held, work, send) => {
  const one = () => held[pick(held.length)];
  const keep = (mapping) => held.push({ mapping, views: [] }) > HELD && held.splice(pick(held.length), 1);
  const look = (view) => (view[pick(view.length)] = view[pick(view.length)] + 1);
  const during = (job) => work.push(job.catch((error) => assert.ok(allowed.has(error.code), error)));
  const fill = (bytes) => during(new Promise((resolve) => read(fd, bytes, 0, bytes.length, 0, () => resolve())));
  return [
    () => keep(mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, offset: pick(9999) })),
    () => keep(mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file })),
    () => keep(mmap({ backing: 'anonymous', sharing: 'private', length: LENGTH })),
    () => keep(mmap({ backing: 'anonymous', sharing: 'shared', length: LENGTH, joinable: pick(2) === 0 })),
    () => look(allocZeroed(LENGTH)),
    () => look(one().mapping.bytes),
    () => one().views.push(one().mapping.view(Uint8Array, 8 * pick(16), 4096)),
    () => look(one().mapping.view(Uint8Array, 0, 1 + pick(4096))),
    () => supports('sharedBuffer') && look(one().mapping.sharedView(Uint8Array)),
    () => one().views.forEach(({ buffer }) => buffer.byteLength > 0 && buffer.transfer?.()),
    () => (held[pick(held.length)].views = []),
    () => one().mapping.unmapSync(),
    () => during(one().mapping.unmap()),
    () => during(one().mapping.sync()),
    () => during(one().mapping.residency({ length: 1 + pick(4096) })),
    () => during(one().mapping.populate({ length: 1 + pick(8192) })),
    () => one().mapping.resize(1 + pick(LENGTH / 2)),
    () => one().mapping.advise('willneed'),
    () => one().mapping.read(Buffer.alloc(64), { offset: pick(64), length: 64 }),
    () => one().mapping.write(Buffer.alloc(64), { offset: pick(64) }),
    () => one().mapping.text({ length: 9 }, 'latin1'),
    () => keep(attach(one().mapping.handle())),
    () => send(one().mapping.handle()),
    () => supports('sharedBuffer') && send(one().mapping.sharedBuffer),
    () => fill(one().mapping.bytes),
    () => mappings().length,
    () => globalThis.gc(),
  ];
};

const play = async (file, rounds, seed, peers) => {
  const pick = random(seed);
  const held = [];
  const work = [];
  const fd = openSync(file);
  const send = (message) => peers[pick(peers.length)]?.postMessage(message);
  const operations = makeOperations(file, fd, pick, held, work, send);
  for (const peer of peers) {
    peer.on('message', (message) => {
      try {
        if (message instanceof SharedArrayBuffer) new Uint8Array(message)[1] += 1;
        else held.push({ mapping: attach(message), views: [] });
      } catch (error) {
        if (!allowed.has(error.code)) throw error;
      }
    });
  }
  operations[0]();
  for (let round = 0; round < rounds; round++) {
    try {
      // the first five make mappings, and are wanted more often than the others unmap
      operations[pick(3) === 0 ? pick(5) : pick(operations.length)]();
    } catch (error) {
      if (!allowed.has(error.code)) throw error;
    }
    if (held.length === 0) operations[0]();
    if (work.length > 8) await Promise.all(work.splice(0));
    if (round % 16 === 0) await turn();
  }
  await Promise.all(work);
  closeSync(fd);
  for (const peer of peers) peer.removeAllListeners().close();
  held.length = 0;
};

const collect = async () => {
  for (let i = 0; i < 200 && mappings().length > 0; i++) {
    globalThis.gc();
    await turn();
  }
};

/** Channels between every two of the players. */
const wire = (count) => {
  const ports = Array.from({ length: count }, () => []);
  for (let a = 0; a < count; a++)
    for (let b = a + 1; b < count; b++) {
      const { port1, port2 } = new MessageChannel();
      ports[a].push(port1);
      ports[b].push(port2);
    }
  return ports;
};

const start = (file, rounds, seed, ports) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(__filename, { workerData: { file, rounds, seed, ports }, transferList: ports });
    worker.on('error', reject);
    // one in four is ended in the middle of it
    if (seed % WORKERS === 0) worker.once('message', () => void worker.terminate());
    worker.on('exit', resolve);
  });

const main = async () => {
  const rounds = Number(process.argv[2] ?? 500);
  assert.ok(Number.isInteger(rounds) && rounds > 0, 'usage: node --expose-gc test/stress.cjs ROUNDS');
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-stress-'));
  const file = join(folder, 'data');
  try {
    writeFileSync(file, Buffer.alloc(LENGTH, 7));
    const [mine, ...theirs] = wire(WORKERS + 1);
    const workers = theirs.map((ports, i) => start(file, rounds, 2025 + i, ports));
    await play(file, rounds, 77, mine);
    await Promise.all(workers);
    await collect();
    // moved buffers whose worker has ended keep their address, and nothing else
    assert.deepEqual(
      mappings().filter(({ decommitted }) => !decommitted),
      [],
    );
    const maps = readFileSync('/proc/self/maps', 'utf8');
    assert.ok(!maps.includes(file) && !maps.includes('/memfd:'), 'files and memory are let go');
    console.log(`${WORKERS + 1} threads, ${rounds} rounds each`);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const work = async () => {
  const { file, rounds, seed, ports } = workerData;
  const half = Math.ceil(rounds / 2);
  await play(file, half, seed, ports);
  parentPort.postMessage('halfway');
  await play(file, rounds - half, seed + 1, []);
};

(isMainThread ? main() : work()).catch((error) => {
  console.error(error);
  process.exit(1);
});
