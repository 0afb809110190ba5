// Accesses that would have ended the process: a defined result, and a record, on every runtime.
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, readSync, truncateSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { fills, LEFT, PAGE, PAGES, reads, reference, writes } from '../../faults/accesses.mjs';
import {
  attach,
  gc,
  makeFile,
  mapFile,
  runtime,
  skip,
  startWorker,
  supports,
  transfer,
  turn,
  until,
} from '../harness.mjs';

const LENGTH = PAGES * PAGE;
const A = 'a'.codePointAt(0);

const cutFile = (options) => {
  const path = makeFile(LENGTH, 'a');
  const mapping = mapFile(path, options);
  return { path, mapping, cut: () => truncateSync(path, LEFT) };
};
const bytesOf = (mapping) => {
  const copy = Buffer.alloc(LENGTH);
  mapping.read(copy);
  return copy;
};
const kinds = (mapping) => mapping.faults.map(({ kind }) => kind);

/** What is not there on a runtime is not there for plain memory either: the same error. */
const outcome = async (access, bytes, cut) => {
  try {
    return await access(bytes, cut);
  } catch (error) {
    return `${error.name}: ${error.code}`;
  }
};

const WASM = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1, 7, 8, 1, 4, 108, 111, 97, 100, 0,
  0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11,
]);
/** (module (memory 1) (func (export "load") (param i32) (result i32) local.get 0 i32.load)) */
const loader = () => new WebAssembly.Instance(new WebAssembly.Module(WASM)).exports.load;
const traps = (load) => {
  assert.equal(load(0), 0);
  assert.throws(() => load(1 << 20), WebAssembly.RuntimeError);
};

export const trapsInWorker = (path, port) => {
  const load = loader();
  const mapping = mapFile(path, { access: 'read' });
  for (let i = 0; i < 200; i++) {
    traps(load);
    if (i % 20 === 0) mapping.bytes[(i / 20) * PAGE] = 1;
  }
  port.postMessage(mapping.faultCount);
};

export const writesItsWord = ({ handle, lane }, port) => {
  const mapping = attach(handle);
  const words = mapping.view(Int32Array);
  port.postMessage('ready');
  for (let page = 0; page < words.length / 1024; page++) words[page * 1024 + lane] = page + 1;
  port.postMessage(mapping.faultCount > 0);
};

export const hears = (path, port) => {
  const mapping = mapFile(path);
  globalThis.kept = mapping;
  mapping.on('fault', ([{ kind, pages, first }]) => port.postMessage([kind, pages, first]));
  truncateSync(path, 0);
  mapping.bytes[3 * PAGE] = 1;
  setTimeout(() => {}, 500);
};

export const scribbles = ({ path, text }, port) => {
  const { bytes } = mapFile(path);
  const variants = [Buffer.alloc(bytes.length, 'a'), Buffer.alloc(bytes.length, 'é€😀')];
  port.postMessage('ready');
  for (let i = 0; ; i++) {
    if (text) variants[i % 2].copy(bytes, i % 64);
    else for (let at = i % 64; at < bytes.length; at += 64) bytes[at] = at ^ i;
  }
};

/** Page after page, none beside the last one: each is a fault of its own. */
export const readsForEver = (shared, port) => {
  const bytes = new Uint8Array(shared);
  port.postMessage('ready');
  for (let sum = 0, at = 0; sum >= 0; at = (at + 3001 * PAGE) % bytes.length) sum += bytes[at];
};

/** Runs body for a while with a thread that writes to the mapping. */
const whileScribbled = async (text, body) => {
  const path = makeFile(1 << 16, 'a');
  const mapping = mapFile(path);
  const { worker, next } = startWorker(import.meta.url, 'scribbles', { path, text });
  await next();
  const end = Date.now() + 700;
  let rounds = 0;
  while (Date.now() < end) {
    body(mapping);
    rounds++;
  }
  await worker.terminate();
  assert.ok(rounds > 1);
};

const shared = () => supports('sharedBuffer') || skip('no SharedArrayBuffer over a mapping here');
const [major] = process.versions.node.split('.').map(Number);

export const cases = {
  async 'every way to read what was cut away'() {
    for (const [name, access] of Object.entries(reads)) {
      const { mapping, cut } = cutFile();
      const expected = await outcome(access, reference());
      const late = access.length > 1;
      if (!late) cut();
      assert.deepEqual(await outcome(access, mapping.bytes, late ? cut : undefined), expected, name);
      assert.deepEqual(bytesOf(mapping), reference(), name);
      // what copies first, or fails at once, never looks behind the end
      if (typeof expected !== 'string' || !expected.includes('Error'))
        assert.deepEqual([name, kinds(mapping)], [name, ['truncated']]);
      mapping.unmapSync();
    }
  },

  async 'every way to write to what was cut away'() {
    for (const [name, access] of Object.entries(writes)) {
      const { path, mapping, cut } = cutFile();
      const plain = reference();
      const expected = await outcome(access, plain);
      cut();
      assert.deepEqual(await outcome(access, mapping.bytes), expected, name);
      assert.ok(bytesOf(mapping).equals(plain), name);
      assert.ok(mapping.faultCount > 0, name);
      assert.equal(readFileSync(path).compare(plain.subarray(0, LEFT)), 0, `${name}: what the file still covers`);
      await assert.rejects(mapping.sync(), { code: 'ERR_LOST_WRITES' }, name);
      assert.throws(() => mapping.unmapSync(), { code: 'ERR_LOST_WRITES' }, name);
    }
  },

  async 'every way to write where there is only reading'() {
    for (const sharing of ['shared', 'private']) {
      for (const [name, access] of Object.entries(writes)) {
        const { path, mapping } = cutFile({ access: 'read', sharing });
        const plain = Buffer.from(new ArrayBuffer(LENGTH)).fill('a');
        assert.deepEqual(await outcome(access, mapping.bytes), await outcome(access, plain), name);
        assert.ok(bytesOf(mapping).equals(plain), name);
        assert.deepEqual([name, kinds(mapping)], [name, ['read-only']]);
        assert.ok(
          readFileSync(path).every((byte) => byte === A),
          `${name}: never in the file`,
        );
        mapping.unmapSync();
      }
    }
  },

  async 'random bytes into what was cut away, and where there is only reading'() {
    for (const access of ['readwrite', 'read']) {
      for (const [name, fill] of Object.entries(fills)) {
        const { path, mapping, cut } = cutFile({ access });
        if (access === 'readwrite') cut();
        const { bytes } = mapping;
        const result = await outcome(fill, bytes);
        if (typeof result === 'string') continue;
        assert.ok(mapping.faultCount > 0, name);
        const last = bytes.subarray(15 * PAGE);
        assert.ok(
          last.some((byte) => byte !== 0 && byte !== A),
          name,
        );
        if (access === 'read')
          assert.ok(
            readFileSync(path).every((byte) => byte === A),
            name,
          );
        await mapping.unmap().catch(({ code }) => assert.equal(code, 'ERR_LOST_WRITES'));
      }
    }
  },

  'system calls that are handed what was cut away'() {
    const { mapping, cut, path } = cutFile();
    cut();
    const { bytes } = mapping;
    const out = openSync(makeFile(0), 'r+');
    const dead = bytes.subarray(8 * PAGE, 10 * PAGE);
    assert.throws(() => writeSync(out, dead), { code: 'EFAULT' });
    let written = 0;
    try {
      written = writeSync(out, bytes);
    } catch ({ code }) {
      assert.equal(code, 'EFAULT');
    }
    assert.ok(written <= 6 * PAGE);
    const source = openSync(path, 'r');
    assert.throws(() => readSync(source, dead, 0, PAGE, 0), { code: 'EFAULT' });
    closeSync(source);
    closeSync(out);
    assert.deepEqual(mapping.faults, []);
    assert.equal(bytes[8 * PAGE], 0);
  },

  async 'a socket that is handed what was cut away'() {
    const { mapping, cut } = cutFile();
    cut();
    const server = createServer((socket) => socket.on('error', () => {}).resume());
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const ended = await new Promise((resolve) => {
      const socket = connect(server.address().port, '127.0.0.1');
      socket.on('error', ({ code }) => resolve(code)).on('close', () => resolve('sent'));
      socket.end(mapping.bytes.subarray(8 * PAGE));
    });
    server.close();
    // some copy it themselves, and meet the fault
    assert.ok(ended === 'sent' ? mapping.faultCount > 0 : ended.startsWith('E'), ended);
  },

  'a mapping of 4,000 pages, page by page, with collections in between'() {
    const path = makeFile(4000 * PAGE, 'a');
    const mapping = mapFile(path);
    const { bytes } = mapping;
    truncateSync(path, 0);
    let kept = [];
    for (let page = 0; page < 4000; page++) {
      bytes[page * PAGE + (page % PAGE)] = 1 + (page % 250);
      kept.push(new Uint8Array(1000));
      if (page % 500 === 0) {
        kept = [];
        gc();
      }
    }
    for (let page = 0; page < 4000; page++) assert.equal(bytes[page * PAGE + (page % PAGE)], 1 + (page % 250));
    const [{ kind, pages }] = mapping.faults;
    assert.deepEqual([kind, pages, mapping.faultCount], ['truncated', 4000, 4000]);
  },

  'faultCount is right at the access, in a loop that is hot'() {
    const { mapping, cut } = cutFile();
    const { bytes } = mapping;
    const scan = (to) => {
      for (let i = 0, sum = 0; i < to; i++) {
        sum += bytes[i];
        if (mapping.faultCount !== 0) return [i, sum];
      }
      return undefined;
    };
    for (let i = 0; i < 20; i++) assert.equal(scan(5 * PAGE), undefined);
    cut();
    assert.deepEqual(scan(LENGTH), [6 * PAGE, LEFT * A]);
  },

  async 'eight threads write to the same pages, and no store is lost'() {
    const path = makeFile(512 * PAGE, 0);
    const mapping = mapFile(path);
    const words = mapping.view(Int32Array);
    const handle = mapping.handle();
    truncateSync(path, 0);
    const workers = Array.from({ length: 8 }, (_, lane) =>
      startWorker(import.meta.url, 'writesItsWord', { handle, lane }),
    );
    for (const { next } of workers) assert.equal(await next(), 'ready');
    for (const { next, ended } of workers) {
      assert.equal(await next(), true);
      await ended;
    }
    for (let page = 0; page < 512; page++)
      for (let lane = 0; lane < 8; lane++) assert.equal(words[page * 1024 + lane], page + 1);
    assert.equal(mapping.verify().lostPages, 512);
  },

  async 'the event, in the main thread and in a worker'() {
    const { mapping, cut } = cutFile();
    const heard = [];
    mapping.on('fault', (faults) => heard.push(...faults));
    cut();
    mapping.bytes[7 * PAGE] = 1;
    mapping.bytes[9 * PAGE] = 1;
    await until(() => heard.length > 0, 'the event');
    assert.deepEqual([heard[0].kind, heard[0].first], ['truncated', 7 * PAGE]);
    const { next, ended } = startWorker(import.meta.url, 'hears', makeFile(LENGTH, 'a'));
    assert.deepEqual(await next(), ['truncated', 1, 3 * PAGE]);
    await ended;
  },

  async 'WebAssembly traps before, between and after faults, and in a worker'() {
    const load = loader();
    traps(load);
    const { mapping, cut } = cutFile();
    cut();
    const readonly = mapFile(makeFile(LENGTH, 'a'), { access: 'read' });
    for (let page = 6; page < PAGES; page++) {
      mapping.bytes[page * PAGE] = 1;
      traps(load);
      readonly.bytes[page * PAGE] = 1;
      traps(load);
    }
    const { next, ended } = startWorker(import.meta.url, 'trapsInWorker', makeFile(LENGTH, 'a'));
    assert.equal(await next(), 10);
    await ended;
    traps(load);
    assert.deepEqual([mapping.faultCount, readonly.faultCount], [10, 10]);
  },

  'a stack overflow of JavaScript, with faults in the frames'() {
    const { mapping, cut } = cutFile();
    cut();
    const deep = (i) => {
      if (i < 10) mapping.bytes[(6 + i) * PAGE] = 1;
      return 1 + deep(i + 1);
    };
    assert.throws(() => deep(0), RangeError);
    assert.equal(mapping.faultCount, 10);
  },

  'a moved buffer, after unmap(): zeros, and each page counted'() {
    const { mapping } = cutFile();
    const moved = new Uint8Array(transfer(mapping.buffer));
    assert.equal(moved[2 * PAGE], A);
    mapping.unmapSync();
    assert.deepEqual([moved[2 * PAGE], moved[9 * PAGE]], [0, 0]);
    moved[9 * PAGE] = 7;
    assert.equal(moved[9 * PAGE], 7);
    assert.deepEqual(mapping.faults, [{ kind: 'unmapped', pages: 2, writes: 0, first: 2 * PAGE, latest: 9 * PAGE }]);
  },

  async 'a SharedArrayBuffer that another thread reads, while the file is cut and the mapping unmapped'() {
    shared();
    const path = makeFile(4096 * PAGE, 'a');
    const mapping = mapFile(path);
    const workers = Array.from({ length: 6 }, () => startWorker(import.meta.url, 'readsForEver', mapping.sharedBuffer));
    for (const { next } of workers) await next();
    truncateSync(path, PAGE);
    mapping.unmapSync();
    await turn();
    for (const { worker } of workers) await worker.terminate();
    const again = mapFile(makeFile(LENGTH, 'b'));
    assert.equal(again.bytes[0], 98);
  },

  async 'process.on() after the handler is in its place'() {
    if (runtime === 'deno') skip('Deno has no listener for SIGBUS');
    const { mapping, cut } = cutFile();
    cut();
    mapping.bytes[6 * PAGE] = 1;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const listener = () => {};
    process.on('SIGBUS', listener);
    mapping.bytes[7 * PAGE] = 1;
    mapping.bytes[8 * PAGE] = 1;
    process.off('SIGBUS', listener);
    assert.equal(mapping.faultCount, 3);
  },

  async 'text() and read(), while another thread writes'() {
    await whileScribbled(true, (mapping) => {
      assert.equal(typeof mapping.text(), 'string');
      const copy = Buffer.alloc(mapping.length);
      assert.equal(mapping.read(copy), mapping.length);
      copy.toString();
      new Int32Array(copy.buffer, copy.byteOffset, 1024).sort();
    });
  },

  async 'sort of a sharedView, while another thread writes'() {
    shared();
    await whileScribbled(false, (mapping) => {
      const numbers = mapping.sharedView(Int32Array);
      numbers.sort();
    });
  },

  async 'decoding of a sharedView, while another thread writes'() {
    shared();
    if (runtime === 'node' && major < 24) skip('the decoders of Node.js 22 read shared memory twice');
    await whileScribbled(true, (mapping) => {
      mapping.sharedView(Buffer).toString();
      if (runtime === 'node') new TextDecoder().decode(mapping.sharedView(Uint8Array));
    });
  },
};
