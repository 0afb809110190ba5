import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LIMITS } from './player.mjs';

export const KiB = 2 ** 10;
export const MiB = 2 ** 20;
export const GiB = 2 ** 30;

/** Calls back with a folder that is gone afterwards. BENCH_DIR puts it on another file system. */
export const withDirectory = async (then) => {
  const directory = mkdtempSync(join(process.env.BENCH_DIR ?? tmpdir(), 'mmap-native-bench-'));
  try {
    return await then(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

/** A file of so many bytes, small numbers as float64, on the disk and in the page cache. */
export const makeFile = (directory, length, name = 'data') => {
  const path = join(directory, name);
  const numbers = Float64Array.from({ length: Math.min(length, 8 * MiB) / 8 }, (_, i) => i % 1000);
  const chunk = Buffer.from(numbers.buffer);
  const fd = openSync(path, 'w');
  for (let left = length; left > 0; left -= chunk.length) writeSync(fd, chunk, 0, Math.min(left, chunk.length));
  closeSync(fd);
  execFileSync('sync', [path]); // only clean pages can be dropped from the cache
  return path;
};

/** Drops a file from the page cache, and makes sure that it is gone: at most 1 % may be left. */
export const makeCold = (path) => {
  const left = Number(execFileSync(LIMITS, ['evict', path], { encoding: 'utf8' }));
  if (left > 0.01) throw new Error(`${path}: ${(left * 100).toFixed(1)} % is still in the page cache`);
};
