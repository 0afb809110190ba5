// node examples/clients/cluster-table.mjs    workers of a cluster count words in one table; one of them is killed in the middle
import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { attach, mmap } from 'mmap-native';
import { short } from './lib/common.mjs';
import { Table } from './lib/table.mjs';

const WORKERS = 4;
const TIMES = short ? 4 : 100;
const WORDS = 4096;

// the words of a text that a package ships, line by line
const text = readFileSync(new URL('node_modules/sharp/lib/index.d.ts', import.meta.url), 'latin1');
const lines = text.split('\n').map((line) => line.match(/[a-z]{1,24}/gi) ?? []);

const tableOf = (handle) => new Table(attach(JSON.parse(handle)));

const roles = {
  /** Counts in the memory that all share. */
  counter() {
    const table = tableOf(process.env.HANDLE);
    for (let time = 0; time < TIMES; time++) for (const words of lines) table.add(words);
    process.send({ repairs: table.repairs });
  },

  /** Dies with the lock held, after it has done half of what belongs together. */
  victim() {
    const table = tableOf(process.env.HANDLE);
    table.exclusively(() => {
      table.countOnly('victim');
      process.kill(process.pid, 'SIGKILL');
    });
  },

  /** The ordinary way: only the primary process counts, and is told. */
  teller() {
    for (let time = 0; time < TIMES; time++) for (const words of lines) process.send({ words });
    process.send({ done: true });
  },
};

const start = async (ROLE, HANDLE) => {
  const worker = cluster.fork({ ROLE, HANDLE });
  worker.once('exit', (code) => code > 0 && process.exit(1)); // nobody waits for one that failed
  await once(worker, 'message');
  return worker;
};

const together = (role, handle) => Promise.all(Array.from({ length: WORKERS }, () => start(role, handle)));

/** Until a worker says what it says at its end; everything before goes to `listen`. */
const ended = (worker, listen) =>
  new Promise((resolve) => {
    worker.on('message', (message) => (message.words === undefined ? resolve(message) : listen(message.words)));
  });

const inSharedMemory = async () => {
  const mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: Table.bytesFor(WORDS) });
  const table = new Table(mapping);
  const handle = JSON.stringify(mapping.handle());
  const victim = await start('victim', handle);
  const workers = await together('counter', handle);
  const began = performance.now();
  for (const worker of [victim, ...workers]) worker.send('go');
  const [, ...ends] = await Promise.all([once(victim, 'exit'), ...workers.map((worker) => ended(worker))]);
  const milliseconds = performance.now() - began;
  for (const worker of workers) worker.disconnect();

  const counts = new Map(table.entries());
  const repairs = ends.reduce((sum, end) => sum + end.repairs, table.repairs);
  assert.equal(victim.process.signalCode, 'SIGKILL');
  assert.equal(repairs, 1, 'one of those who came after it has repaired what it left');
  assert.equal(counts.get('victim'), 1);
  assert.equal(table.sum, WORKERS * TIMES * lines.flat().length + 1);
  counts.delete('victim');
  return { counts, milliseconds };
};

const inPrimary = async () => {
  const counts = new Map();
  const workers = await together('teller', '');
  const began = performance.now();
  for (const worker of workers) worker.send('go');
  const add = (words) => words.forEach((word) => counts.set(word, (counts.get(word) ?? 0) + 1));
  await Promise.all(workers.map((worker) => ended(worker, add)));
  const milliseconds = performance.now() - began;
  for (const worker of workers) worker.disconnect();
  return { counts, milliseconds };
};

if (cluster.isPrimary) {
  const expected = new Map();
  for (const word of lines.flat()) expected.set(word, (expected.get(word) ?? 0) + WORKERS * TIMES);
  console.log(`${WORKERS} workers count ${TIMES * lines.flat().length} words each, ${expected.size} different ones:`);
  for (const [name, way] of Object.entries({ 'table in shared memory': inSharedMemory, 'process.send()': inPrimary })) {
    const { counts, milliseconds } = await way();
    assert.deepEqual(counts, expected);
    console.log(`${name.padEnd(24)}${milliseconds.toFixed(0).padStart(7)} ms`);
  }
} else {
  process.send('ready');
  await once(process, 'message');
  roles[process.env.ROLE]();
}
