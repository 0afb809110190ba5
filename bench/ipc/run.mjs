// node bench/ipc/run.mjs [--rounds=5] [--quick] [--out=FILE]
//
// Round trips, throughput and locks beside what Node has, and beside C on the same kernel. Contestants take turns, round by
// round, so that what disturbs the machine disturbs them all; the medians of the rounds are printed with their spread.
import { execFileSync, fork, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { availableParallelism, cpus, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { mmap } from '../../dist/index.js';
import { Channel, Mutex, Queue } from '../../dist/ipc/index.js';

const option = (name, fallback) =>
  process.argv.find((it) => it.startsWith(`--${name}=`))?.slice(name.length + 3) ?? fallback;
const quick = process.argv.includes('--quick');
const rounds = Number(option('rounds', quick ? 1 : 5));
const scratch = mkdtempSync(join(tmpdir(), 'mmap-native-bench-'));
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const native = join(scratch, 'native');
execFileSync('cc', ['-O2', '-o', native, here('native.c')]);

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];
const cpuNow = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

const ALL_CORES = `0-${availableParallelism() - 1}`;
/** Where the two sides of a round trip run: as the scheduler likes, or on the cores that are named. */
let cores;
/** All threads of a process. One that ends meanwhile makes taskset fail: then once more. */
const pin = (pid, core, tries = 3) => {
  const { status, stderr } = spawnSync('taskset', ['-a', '-p', '-c', `${core}`, `${pid}`], { encoding: 'utf8' });
  if (status === 0) return;
  if (tries === 1) throw new Error(`taskset: ${stderr}`);
  pin(pid, core, tries - 1);
};

/** Another process or thread, and the message that it ends with. */
function peer(task, data, { thread = false, serialization = 'json' } = {}) {
  const all = { task, ...data };
  const it = thread
    ? new Worker(here('peer.mjs'), { workerData: all })
    : fork(here('peer.mjs'), [JSON.stringify(all)], { serialization });
  const message = () => new Promise((resolve) => it.once('message', resolve));
  if (cores !== undefined) pin(it.pid, cores[1]);
  const send = thread ? it.postMessage.bind(it) : it.send.bind(it);
  return { it, message, send };
}

async function served() {
  const path = join(scratch, `socket-${Math.random()}`);
  const server = createServer().listen(path);
  const socket = new Promise((resolve) => server.once('connection', resolve));
  return { path, socket, close: () => server.close() };
}

// ---- round trips: microseconds, the median and the 99th percentile --------------------------------------------------------

const TRIPS = quick ? 2000 : 10_000;

async function trips(turn) {
  const times = [];
  for (let i = 0; i < TRIPS / 10; i++) await turn();
  const cpu = cpuNow();
  for (let i = 0; i < TRIPS; i++) {
    const began = performance.now();
    await turn();
    times.push((performance.now() - began) * 1000);
  }
  times.sort((a, b) => a - b);
  return { p50: times[TRIPS >> 1], p99: times[Math.floor(TRIPS * 0.99)], cpu: ((cpuNow() - cpu) / TRIPS) * 1000 };
}

const look = () => {};

async function channelTrips(way) {
  const channel = Channel.create({ capacity: 65536 });
  const other = peer(`answer ${way}`, { handle: channel.handle() });
  const message = Buffer.alloc(64);
  const { in: from, out } = channel;
  const sync = () => {
    out.writeSync(message);
    from.readSync();
  };
  const async = async () => {
    out.tryWrite(message);
    await from.read();
  };
  const spinning = () => {
    out.tryWrite(message);
    while (!from.tryRead(look));
  };
  await async();
  const result = await trips({ sync, async, spinning }[way]);
  const done = other.message();
  out.end();
  await done;
  channel.close();
  return result;
}

async function messageTrips(options, message) {
  const other = peer('answer message', {}, options);
  await other.message();
  const result = await trips(() => {
    const answer = other.message();
    other.send(message);
    return answer;
  });
  const done = other.message();
  other.send(null);
  await done;
  return result;
}

async function socketTrips() {
  const { path, socket: connecting, close } = await served();
  const other = peer('answer socket', { path });
  const socket = await connecting;
  const message = Buffer.alloc(64);
  const result = await trips(() => {
    const answer = new Promise((resolve) => socket.once('data', resolve));
    socket.write(message);
    return answer;
  });
  const done = new Promise((resolve) => other.it.on('message', (it) => it.cpu && resolve()));
  socket.end();
  await done;
  close();
  return result;
}

const inC = (...args) => {
  const [p50, p99] = execFileSync(native, args.map(String), { encoding: 'utf8' }).split(' ').map(Number);
  return { p50, p99, cpu: Number.NaN };
};

const TRIP_CONTESTANTS = {
  'C futex': () => inC('futex', TRIPS, ...(cores ?? [])),
  'C pipe': () => inC('pipe', TRIPS, ...(cores ?? [])),
  'Channel, sync': () => channelTrips('sync'),
  'Channel, async': () => channelTrips('async'),
  'Channel, spinning': () => channelTrips('spinning'),
  'process.send, json': () => messageTrips({ serialization: 'json' }, 'x'.repeat(64)),
  'process.send, advanced': () => messageTrips({ serialization: 'advanced' }, new Uint8Array(64)),
  'unix socket': socketTrips,
  'worker postMessage': () => messageTrips({ thread: true }, new Uint8Array(64)),
};

/** The same on the cores that are named. What spins needs a core of its own, and a thread is none of another process. */
function pinned(first, second) {
  const left = Object.entries(TRIP_CONTESTANTS).filter(
    ([name]) => name !== 'worker postMessage' && (first !== second || name !== 'Channel, spinning'),
  );
  return left.map(([name, run]) => [
    name,
    async () => {
      cores = [first, second];
      pin(process.pid, first);
      try {
        return await run();
      } finally {
        cores = undefined;
        pin(process.pid, ALL_CORES);
      }
    },
  ]);
}

// ---- throughput: messages a second ------------------------------------------------------------------------------------------

const COUNTS = { 64: 4_000_000, 1024: 2_000_000, 65536: 50_000, 1048576: 8000 };
const share = (count, of) => Math.max(50, Math.round((count * of) / (quick ? 10 : 1)));
/** Messages of a batch: what a program collects before it hands over. */
const BATCH = 100;

async function timed(count, write) {
  const cpu = cpuNow();
  const began = performance.now();
  const { cpu: other } = await write();
  const seconds = (performance.now() - began) / 1000;
  return { rate: count / seconds, cpu: ((cpuNow() - cpu + other) / count) * 1000 };
}

/** Writes so many messages, one by one or as many at a time as there is room for. */
function writing(producer, message, batches) {
  const one = (count) => {
    for (let i = 0; i < count; i++) producer.writeSync(message);
  };
  if (!batches) return one;
  return (count) => {
    for (let left = count; left > 0;) {
      const most = Math.min(left, BATCH);
      let written = 0;
      producer.batch(() => {
        while (written < most && producer.tryWrite(message)) written++;
      });
      if (written === 0) one((written = 1));
      left -= written;
    }
  };
}

async function queueRate(task, size, { batches = false } = {}) {
  const count = share(COUNTS[size], 1);
  const warm = Math.round(count / 10);
  const queue = Queue.create({ capacity: Math.max(1_000_000, 4 * size) });
  const producer = queue.producer();
  const other = peer(`swallow ${task}`, { handle: queue.handle(), count: count + warm + 1, size });
  const write = writing(producer, Buffer.alloc(size, 1), batches);
  // it has come when it has read the first one
  write(1);
  while (producer.peer !== 'alive') await new Promise((resolve) => setTimeout(resolve, 10));
  write(warm);
  await new Promise((resolve) => setTimeout(resolve, 50));
  const result = await timed(count, () => {
    const done = other.message();
    write(count);
    producer.end();
    return done;
  });
  queue.close();
  return result;
}

async function messageRate(size, options, message) {
  const count = share(COUNTS[size], size < 65536 ? 0.02 : 0.05);
  const other = peer('swallow message', { count, size }, options);
  await other.message();
  return timed(count, async () => {
    const done = other.message();
    for (let i = 0; i < count; i++) {
      other.send(message);
      // what is sent is buffered without end: let it go out
      if (i % 64 === 63) await new Promise((resolve) => setImmediate(resolve));
    }
    return done;
  });
}

async function socketRate(size) {
  const count = share(COUNTS[size], 0.1);
  const { path, socket: connecting, close } = await served();
  const other = peer('swallow socket', { path, count, size });
  const socket = await connecting;
  const message = Buffer.alloc(size, 1);
  const result = await timed(count, async () => {
    const done = new Promise((resolve) => other.it.on('message', (it) => it.cpu && resolve(it)));
    for (let i = 0; i < count; i++)
      if (!socket.write(message)) await new Promise((resolve) => socket.once('drain', resolve));
    return done;
  });
  socket.destroy();
  close();
  return result;
}

const inCRate = (what, size) => {
  const count = share(COUNTS[size], 2);
  return {
    rate: Number(execFileSync(native, [what, String(size), String(count)], { encoding: 'utf8' })),
    cpu: Number.NaN,
  };
};

const RATE_CONTESTANTS = {
  memcpy: (size) => inCRate('memcpy', size),
  'C ring': (size) => inCRate('ring', size),
  'Queue, sync': (size) => queueRate('sync', size),
  'Queue, async drain': (size) => queueRate('drain', size),
  'Queue, batches': (size) => queueRate('drain', size, { batches: true }),
  'Queue, for await': (size) => queueRate('iterate', size),
  'process.send, json': (size) => messageRate(size, { serialization: 'json' }, 'x'.repeat(size)),
  'process.send, advanced': (size) => messageRate(size, { serialization: 'advanced' }, new Uint8Array(size)),
  'unix socket': socketRate,
  'worker postMessage': (size) => messageRate(size, { thread: true }, new Uint8Array(size)),
};

// ---- locks: nanoseconds -----------------------------------------------------------------------------------------------------

function lockTime() {
  const memory = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
  const mutex = new Mutex(memory, 0);
  const count = 1_000_000;
  for (let i = 0; i < count / 10; i++) mutex.lockSync().unlock();
  const began = performance.now();
  for (let i = 0; i < count; i++) mutex.lockSync().unlock();
  return { ns: ((performance.now() - began) / count) * 1e6 };
}

// ---- all of it --------------------------------------------------------------------------------------------------------------

const groups = {
  'round trip, µs': Object.entries(TRIP_CONTESTANTS),
  'round trip, each on a core of its own, µs': pinned(0, 1),
  'round trip, both on one core, µs': pinned(0, 0),
  ...Object.fromEntries(
    Object.keys(COUNTS).map((size) => [
      `messages of ${size} bytes a second`,
      Object.entries(RATE_CONTESTANTS).map(([name, run]) => [name, () => run(Number(size))]),
    ]),
  ),
  'lock and unlock, ns': [['Mutex', lockTime]],
};

/** What the others of a group are compared with, round by round. */
const BASELINE = { p50: 'C futex', rate: 'C ring' };

const results = {};
try {
  for (let round = 0; round < rounds; round++)
    for (const [group, contestants] of Object.entries(groups))
      for (const [name, run] of contestants) {
        const seen = await run();
        const into = ((results[group] ??= {})[name] ??= {});
        for (const [key, value] of Object.entries(seen)) (into[key] ??= []).push(value);
      }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

const show = (n) => (n >= 1000 ? Math.round(n).toLocaleString('en') : n.toPrecision(3));
for (const contestants of Object.values(results))
  for (const [key, name] of Object.entries(BASELINE))
    for (const seen of Object.values(contestants))
      if (key in seen && name in contestants)
        seen['× C'] = seen[key].map((value, round) => value / contestants[name][key][round]);

const report = {};
for (const [group, contestants] of Object.entries(results)) {
  console.log(`\n${group}`);
  report[group] = {};
  for (const [name, seen] of Object.entries(contestants)) {
    const row = {};
    for (const [key, values] of Object.entries(seen)) {
      if (values.some(Number.isNaN)) continue;
      row[key] = { median: median(values), least: Math.min(...values), most: Math.max(...values) };
    }
    report[group][name] = row;
    const cells = Object.entries(row).map(([key, { median: m, least, most }]) => {
      return `${key} ${show(m)} (${show(least)}–${show(most)})`;
    });
    console.log(`  ${name.padEnd(24)} ${cells.join('   ')}`);
  }
}
const file = option('out');
if (file !== undefined) {
  const kernel = readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim();
  const machine = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    kernel,
    cpu: cpus()[0].model,
    cores: availableParallelism(),
    load: loadavg(),
  };
  writeFileSync(file, `${JSON.stringify({ machine, rounds, report }, null, 2)}\n`);
}
process.exit();
