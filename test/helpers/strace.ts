import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Child, runChild, type RunOptions } from './children.js';

/** Runs a module as runChild does, and returns the system calls it made as strace writes them: its main thread's first. */
export const strace = (script: string, calls: string, options: RunOptions = {}): string[] => {
  const folder = mkdtempSync(join(tmpdir(), 'strace-'));
  const log = join(folder, 'log');
  try {
    const through = ['strace', '-ff', '-qq', '-e', `trace=${calls}`, '-e', 'signal=none', '-o', log];
    runChild(`${script}; answer(true)`, { ...options, through });
    // a file a thread, or their lines would interrupt each other
    return readdirSync(folder)
      .toSorted((a, b) => Number(a.split('.')[1]) - Number(b.split('.')[1]))
      .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
      .map((line) => line.replace(/\) += /, ') = ').replace(/ = 0x[\da-f]+$/, ' = ADDRESS'))
      .filter((line) => line !== '');
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** While `body` runs, system calls of the child's main thread fail: `['mmap:error=ENOMEM', …]`. */
export const inject = async <T>(child: Child, what: readonly string[], body: () => Promise<T>): Promise<T> => {
  const names = what.map((injection) => injection.split(':', 1)).join(',');
  const injections = what.flatMap((injection) => ['-e', `inject=${injection}`]);
  const words = ['-p', String(child.pid), '-e', `trace=${names}`, ...injections];
  const tracer = spawn('strace', words, { stdio: ['ignore', 'ignore', 'pipe'] });
  const gone = once(tracer, 'exit');
  try {
    await once(tracer.stderr, 'data'); // "attached"
    return await body();
  } finally {
    tracer.kill('SIGINT');
    await gone;
  }
};
