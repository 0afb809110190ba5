// What the examples share: a folder that goes away again, and a comparison of ways in processes of their own.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** SHORT=1: the same program with less data. */
export const short = process.env.SHORT !== undefined;

/** A folder that is there until this process ends, however that comes about. */
export const temporaryFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-clients-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));
  return folder;
};

/** Numbers from 0 to 1 that are the same in every run. */
export const randomNumbers = (seed) => () => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};

/**
 * What processes have of the machine's memory, in bytes; a page that several have counts once. Their own pages are what
 * they would take with them; those of files lie in the page cache, and can be dropped and read again.
 */
const memoryOf = (processes) => {
  const sum = { own: 0, file: 0 };
  for (const { pid } of processes) {
    const rollup = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
    const bytes = (name) => 1024 * Number(new RegExp(`^${name}: +(\\d+) kB$`, 'm').exec(rollup)[1]);
    sum.own += bytes('Pss_Anon') + bytes('Pss_Shmem');
    sum.file += bytes('Pss_File');
  }
  return sum;
};

const held = [];

/**
 * `ways` are functions by their names. Called with one of these as first argument, the program goes that way when
 * its parent says so, and stays until it has been looked at; called by a person, it runs `main`.
 * A way returns its `answer`, and what has to stay in memory for the next question: `keep`.
 */
export const run = async (ways, main) => {
  const [name, ...args] = process.argv.slice(2);
  if (ways[name] === undefined) return main();
  process.once('disconnect', () => process.exit()); // nobody is there to look at it
  process.send('ready');
  await once(process, 'message');
  const { answer, keep } = await ways[name](...args);
  held.push(keep);
  return process.send({ answer });
};

/** Goes one way in `count` processes at once, prints what it took, and returns their answers. */
export const compare = async (name, count, ...args) => {
  const processes = Array.from({ length: count }, () => fork(process.argv[1], [name, ...args]));
  // nobody waits for one that failed
  for (const child of processes) child.once('exit', (code) => code !== 0 && process.exit(1));
  await Promise.all(processes.map((child) => once(child, 'message')));
  const before = memoryOf(processes);
  const began = performance.now();
  for (const child of processes) child.send('go');
  const messages = await Promise.all(processes.map((child) => once(child, 'message')));
  const milliseconds = performance.now() - began;
  const after = memoryOf(processes);
  for (const child of processes) child.disconnect();
  await Promise.all(processes.map((child) => once(child, 'exit')));

  const megabytes = (kind) => `${((after[kind] - before[kind]) / 1e6).toFixed(1)} MB`.padStart(10);
  console.log(
    `${name.padEnd(28)}${milliseconds.toFixed(0).padStart(7)} ms, memory: own ${megabytes('own')}, of files ${megabytes('file')}`,
  );
  return messages.map(([{ answer }]) => answer);
};
