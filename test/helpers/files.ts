import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readlinkSync, rmSync, statfsSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';

export const PAGE = 4096;

/** A folder for the tests of one file, gone with their process: hooks do not run where every test is skipped. */
export const tempDir = (): string => {
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

let files = 0;

/** A new file in the folder. */
export const tempFile = (folder: string, content: string | Uint8Array = ''): string => {
  const path = join(folder, `file-${++files}`);
  writeFileSync(path, content);
  return path;
};

/** A file of so many pages: page 0 is full of 'a', page 1 of 'b', and so on. */
export const pagesOf = (folder: string, count: number): string =>
  tempFile(folder, Buffer.concat(Array.from({ length: count }, (_, i) => Buffer.alloc(PAGE, 97 + (i % 26)))));

/** The descriptors of this process that are open on a path, or on what a link of /proc/self/fd says. */
export const descriptorsOf = (path: string): number[] =>
  readdirSync('/proc/self/fd')
    .map(Number)
    .filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
      } catch {
        return false; // it listed the folder, and is closed by now
      }
    });

/** Bytes of a file that have a place on the disk. */
export const allocated = (path: string): number => statSync(path).blocks * 512;

const TMPFS = 0x01021994;

/** Whether the pages of a file there are ever written anywhere. */
export const hasDisk = (folder: string): boolean => statfsSync(folder).type !== TMPFS;

/** Writes a file's pages to the disk, and lets the kernel forget them. */
export const evict = (path: string): void => {
  // dd's way to call posix_fadvise(POSIX_FADV_DONTNEED) over all of a file
  const words = [`of=${path}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'];
  expect(spawnSync('dd', words, { env: { ...process.env, LD_PRELOAD: '' } }).status).toBe(0);
};
