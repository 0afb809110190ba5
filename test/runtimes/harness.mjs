// What a case needs: the package under test, and what differs between the runtimes.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';

export const { allocZeroed, attach, mappings, mmap, supports } = await import(
  process.env.MMAP_NATIVE ?? new URL('../../dist/index.js', import.meta.url).href
);

export const runtime = process.versions.bun ? 'bun' : process.versions.deno ? 'deno' : 'node';

/** Thrown where a runtime lacks what a case is about. */
export class Skipped extends Error {}

export const skip = (reason) => {
  throw new Skipped(reason);
};

export const gc = globalThis.gc ?? (() => globalThis.Bun.gc(true));
export const turn = () => new Promise((resolve) => setTimeout(resolve, 1));

/** Collects and lets the loop turn until the condition holds: finalizers come when they like. */
export const until = async (condition, what) => {
  for (let i = 0; i < 200; i++) {
    if (condition()) return;
    gc();
    await turn();
    if (i > 20) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`never came true: ${what ?? condition}`);
};

/** The lines of /proc/self/maps, those that name the file where one is given. */
export const areas = (path) =>
  readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line !== '' && (path === undefined || line.endsWith(path)));

/** How many descriptors of files and memory are open; a runtime opens sockets and pipes of its own when it likes. */
export const descriptors = () =>
  readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return /memfd:|data-\d+/.test(readlinkSync(`/proc/self/fd/${fd}`));
    } catch {
      return false; // of the listing itself
    }
  }).length;

/** Bytes in memory. Not process.memoryUsage(), which Deno rounds and caches. */
export const resident = () => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024;

let files = 0;

/** A file in the folder that whoever runs the case removes, full of one byte. */
export const makeFile = (length, byte = 0) => {
  const path = join(process.env.MMAP_CASE_DIR, `data-${process.pid}-${files++}.bin`);
  writeFileSync(path, Buffer.alloc(length, byte));
  return path;
};

export const mapFile = (path, options) =>
  mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: path, ...options });

export const anonymous = (length, options) => mmap({ backing: 'anonymous', sharing: 'private', length, ...options });

/** The memory in another ArrayBuffer, and the old one detached. */
export const transfer = (buffer) => {
  if (typeof buffer.transfer !== 'function') skip('no ArrayBuffer.prototype.transfer');
  return buffer.transfer();
};

/**
 * A worker that calls `module[task](data, port)`. `next()` is its next message; `ended` its exit code, after
 * which an error of its own is thrown.
 */
export const startWorker = (module, task, data) => {
  const worker = new Worker(new URL('worker.mjs', import.meta.url), { workerData: { module, task, data } });
  const messages = [];
  const waiting = [];
  let failure;
  worker.on('message', (message) => (waiting.shift() ?? { resolve: (m) => messages.push(m) }).resolve(message));
  worker.on('error', (error) => {
    failure = error;
    for (const { reject } of waiting.splice(0)) reject(error);
  });
  const ended = once(worker, 'exit').then(([code]) => {
    if (failure !== undefined) throw failure;
    return code;
  });
  ended.catch(() => undefined);
  const next = () =>
    messages.length > 0
      ? Promise.resolve(messages.shift())
      : new Promise((resolve, reject) => waiting.push({ resolve, reject }));
  return { worker, ended, next };
};

const PROGRAM_FLAGS = { bun: [], deno: ['run', '-A', '--v8-flags=--expose-gc'], node: ['--expose-gc'] };

/** Runs programs/NAME in a process of this runtime, to its end. */
export const runProgram = (name, args = [], flags = []) => {
  const program = fileURLToPath(new URL(`programs/${name}`, import.meta.url));
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    [...PROGRAM_FLAGS[runtime], ...flags, program, ...args],
    { encoding: 'utf8', maxBuffer: 1 << 26 },
  );
  return { how: signal ?? status, stdout, stderr };
};

/** Throws, or takes the process down, where there is no room left for the runtime itself. */
export const assertAlive = () => {
  const buffers = Array.from({ length: 50 }, () => new ArrayBuffer(1 << 20));
  const objects = Array.from({ length: 300_000 }, (_, i) => ({ i, list: [i] }));
  if (buffers.length !== 50 || objects.at(-1).list[0] !== 299_999) throw new Error('memory is not what was put there');
};
