// node test/processes/torture.mjs [--kills=500] [--parallel=2] [--seed=1]
//
// Processes that write to a queue, read from it and count under a Mutex are killed with SIGKILL at random moments, each
// while it works, and replaced. Every byte of every message is looked at, every number, and the invariant under the Mutex.
// Prints what it saw as JSON; exit code 1 where something is not as it should be.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { attach, mmap } from 'mmap-native';
import { Mutex, Queue, wait } from 'mmap-native/ipc';

const MOST_BYTES = 700;

// The table that all of them share, in words.
const A = 0;
const B = 1;
const RECOVERIES = 2;
const BROKEN = 3; // the invariant did not hold
const TORN = 4; // a message was not whole
const GAPS = 5; // a number was missing, or out of order
const AGAIN = 6; // a message came a second time
const BYTES_LOW = 7; // looked at, in units of 1 KiB
const MUTEX = 64; // in bytes: 16 words
const PEOPLE = 32; // for each: running, written, last number seen
const PER = 3;

const lengthOf = (person, number) => 12 + ((person * 31 + number * 7) % MOST_BYTES);
const byteAt = (person, number, i) => (person * 13 + number * 5 + i) & 255;

function makeMessage(person, number) {
  const message = Buffer.allocUnsafe(lengthOf(person, number));
  message.writeUInt32LE(person, 0);
  message.writeUInt32LE(number, 4);
  for (let i = 8; i < message.length; i++) message[i] = byteAt(person, number, i);
  return message;
}

// One consumer at a time looks, so the table says of each producer how far it has come.
function makeLook(table) {
  let bytes = 0;
  return (message) => {
    const view = new DataView(message.buffer, message.byteOffset, message.byteLength);
    const person = view.getUint32(0, true);
    const number = view.getUint32(4, true) | 0;
    let whole = message.length === lengthOf(person, number);
    for (let i = 8; whole && i < message.length; i++) whole = message[i] === byteAt(person, number, i);
    if (!whole) Atomics.add(table, TORN, 1);
    const last = PEOPLE + person * PER + 2;
    const before = Atomics.load(table, last);
    if (number === before) Atomics.add(table, last, 1);
    else Atomics.add(table, number === before - 1 ? AGAIN : GAPS, 1);
    bytes += message.length;
    if (bytes >= 1024) {
      Atomics.add(table, BYTES_LOW, Math.floor(bytes / 1024));
      bytes %= 1024;
    }
  };
}

function countUnder(mutex, table) {
  const guard = mutex.lockSync();
  if (table[A] !== table[B]) Atomics.add(table, BROKEN, 1);
  table[A] += 1;
  for (let i = 0; i < 2000; i++) Atomics.load(table, A); // long enough to be killed in
  table[B] += 1;
  guard.unlock();
}

const openMutex = (memory, table) =>
  new Mutex(memory, MUTEX, {
    recover: () => {
      Atomics.add(table, RECOVERIES, 1);
      table[B] = table[A];
    },
  });

// The one that is killed.
async function person({ id, table: tableHandle, queue: queueHandle }) {
  const memory = attach(tableHandle);
  const table = memory.view(Int32Array);
  const mutex = openMutex(memory, table);
  const queue = Queue.attach(queueHandle);
  const producer = queue.producer();
  const consumer = queue.consumer();
  const look = makeLook(table);
  const mine = PEOPLE + id * PER;
  Atomics.store(table, mine, 1);
  for (let number = 0; ; number++) {
    const message = makeMessage(id, number);
    if (number % 3 === 0) await producer.write(message);
    else if (number % 3 === 1) producer.writeSync(message);
    else await producer.writeWith(message.length, (into) => into.set(message));
    Atomics.store(table, mine + 1, number + 1);
    countUnder(mutex, table);
    if (number % 2 === 0) consumer.drain(look, 2);
    else consumer.tryRead(look);
  }
}

// A small generator of numbers that can be had again: mulberry32.
function random(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function main({ kills, parallel, seed }) {
  const next = random(seed);
  const began = performance.now();
  const memory = mmap({ backing: 'anonymous', sharing: 'shared', length: 4 * (PEOPLE + PER * (kills + 1)) });
  const table = memory.view(Int32Array);
  const mutex = openMutex(memory, table);
  const queue = Queue.create({ capacity: 16_000, producers: 'many', consumers: 'many' });
  const producer = queue.producer();
  const consumer = queue.consumer();
  const look = makeLook(table);

  const reading = (async () => {
    while (await consumer.readable()) consumer.drain(look, 5);
  })();

  let started = 0;
  const ends = {};
  async function replaceAndKill() {
    while (started < kills) {
      const id = started++;
      const data = JSON.stringify({ id, table: memory.handle(), queue: queue.handle() });
      const child = spawn(process.execPath, [fileURLToPath(import.meta.url), 'person', data], { stdio: 'inherit' });
      const exit = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
      const running = PEOPLE + id * PER;
      while (Atomics.load(table, running) === 0) {
        const result = await wait(table, running, 0, { timeout: 5 });
        if (child.exitCode !== null || result === 'ok') break;
      }
      await new Promise((resolve) => setTimeout(resolve, next() * 6));
      // not on a tick of the timer
      const until = performance.now() + next();
      while (performance.now() < until);
      child.kill('SIGKILL');
      const end = await exit;
      ends[end] = (ends[end] ?? 0) + 1;
      countUnder(mutex, table);
    }
  }
  await Promise.all(Array.from({ length: parallel }, replaceAndKill));
  producer.end();
  // with the last of them dead and none ended, that is what the reader hears when nothing is left
  const end = await reading.then(
    () => 'ended',
    (error) => error.code,
  );
  countUnder(mutex, table);

  let messages = 0;
  let missing = 0;
  for (let id = 0; id < kills; id++) {
    const [, written, seen] = table.subarray(PEOPLE + id * PER, PEOPLE + (id + 1) * PER);
    messages += seen;
    // one may have been written without having been counted any more
    if (seen !== written && seen !== written + 1) missing++;
  }
  return {
    kills,
    seed,
    ends,
    end,
    messages,
    mebibytes: Math.round(table[BYTES_LOW] / 1024),
    torn: table[TORN],
    gaps: table[GAPS],
    missing,
    again: table[AGAIN],
    counted: table[A],
    recoveries: table[RECOVERIES],
    broken: table[BROKEN],
    seconds: Math.round((performance.now() - began) / 100) / 10,
    node: process.version,
  };
}

if (process.argv[2] === 'person') {
  await person(JSON.parse(process.argv[3]));
} else {
  const options = { kills: 500, parallel: 2, seed: 1 };
  for (const argument of process.argv.slice(2)) {
    const [, name, value] = /^--(kills|parallel|seed)=(\d+)$/.exec(argument) ?? [];
    if (name === undefined) throw new Error(`unknown: ${argument}`);
    options[name] = Number(value);
  }
  const seen = await main(options);
  console.log(JSON.stringify(seen, null, 2));
  const bad = seen.torn + seen.gaps + seen.missing + seen.broken > 0 || seen.again > seen.kills;
  process.exitCode = bad || seen.ends.SIGKILL !== seen.kills ? 1 : 0;
}
