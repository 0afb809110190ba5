import { closeSync, openSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { mmap } from '../../lib/index.js';
import { type Failed, runChild } from '../helpers/children.js';
import { allocated, hasDisk, PAGE, pagesOf, tempDir, tempFile } from '../helpers/files.js';
import { lacks, noMounts } from '../helpers/skip.js';

const folder = tempDir();
const GROW = { backing: 'file', sharing: 'shared', access: 'readwrite', grow: true } as const;

test('an empty file grows, and its blocks are allocated at once', () => {
  const file = tempFile(folder);
  const length = 100 * PAGE + 1;
  using mapping = mmap({ ...GROW, file, length });
  expect(statSync(file).size).toBe(length);
  expect(allocated(file)).toBeGreaterThanOrEqual(length);
  mapping.bytes[length - 1] = 97;
  expect(readFileSync(file).at(-1)).toBe(97);
});

test('what the file had stays, and what is new is zeros', () => {
  const file = tempFile(folder, 'content');
  using mapping = mmap({ ...GROW, file, length: PAGE });
  expect(mapping.text()).toBe('content'.padEnd(PAGE, '\0'));
});

test('a file that is long enough is not cut, and keeps its length', () => {
  const file = pagesOf(folder, 4);
  using mapping = mmap({ ...GROW, file, offset: 10, length: 20 });
  expect(mapping.length).toBe(20);
  expect(readFileSync(file, 'latin1')).toBe(['a', 'b', 'c', 'd'].map((letter) => letter.repeat(PAGE)).join(''));
});

test('holes inside the range are filled, so that no write into it can meet a full disk', () => {
  const file = tempFile(folder);
  truncateSync(file, 256 * PAGE);
  expect(allocated(file)).toBe(0);
  using mapping = mmap({ ...GROW, file, offset: 64 * PAGE, length: 64 * PAGE });
  expect(mapping.length).toBe(64 * PAGE);
  expect(allocated(file)).toBeGreaterThanOrEqual(64 * PAGE);
  expect(allocated(file)).toBeLessThan(128 * PAGE);
  expect(statSync(file).size).toBe(256 * PAGE);
});

test('a range that begins behind the end leaves a hole before it', () => {
  const file = tempFile(folder, 'x');
  using mapping = mmap({ ...GROW, file, offset: 1000 * PAGE, length: PAGE });
  expect(mapping.length).toBe(PAGE);
  expect(statSync(file).size).toBe(1001 * PAGE);
  expect(allocated(file)).toBeLessThan(100 * PAGE);
});

test('length 0 grows nothing', () => {
  const file = tempFile(folder, 'x');
  using mapping = mmap({ ...GROW, file, length: 0 });
  expect(mapping.length).toBe(0);
  expect(statSync(file).size).toBe(1);
});

test('grow does not make a file: a path that is missing is ENOENT', () => {
  const file = join(folder, 'missing');
  expect(() => mmap({ ...GROW, file, length: PAGE })).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});

test('a descriptor for reading cannot be grown, and the file keeps its length', () => {
  const file = tempFile(folder, 'x');
  const fd = openSync(file, 'r');
  expect(() => mmap({ ...GROW, file: fd, length: PAGE })).toThrow(
    expect.objectContaining({ code: 'EBADF', syscall: 'fallocate' }),
  );
  closeSync(fd);
  expect(statSync(file).size).toBe(1);
});

test('longer than the file system takes is EFBIG, and the file keeps its length', () => {
  const file = tempFile(folder, 'x');
  expect(() => mmap({ ...GROW, file, length: 2 ** 52 })).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^(EFBIG|ENOSPC)$/) as unknown, syscall: 'fallocate' }),
  );
  expect(statSync(file).size).toBe(1);
});

test.skipIf(lacks(hasDisk(folder), 'the temporary folder is a tmpfs'))(
  'grown bytes reach the disk with sync()',
  async () => {
    const file = tempFile(folder);
    using mapping = mmap({ ...GROW, file, length: 2 * PAGE });
    mapping.bytes.write('durable', PAGE);
    await mapping.sync();
    expect(readFileSync(file, 'latin1').slice(PAGE, PAGE + 7)).toBe('durable');
  },
);

/** Runs with `given` as a folder on 64 pages of tmpfs that no other process sees. */
const onSmallDisk = (script: string): unknown =>
  runChild(script, {
    given: folder,
    through: ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o size=256k none "$0" && exec "$@"', folder],
  });

describe.skipIf(noMounts())('a disk that is full', () => {
  const STATE = `
    const file = given + '/file';
    const state = () => ({
      size: fs.statSync(file).size,
      blocks: fs.statSync(file).blocks,
      mapped: fs.readFileSync('/proc/self/maps', 'utf8').includes(file),
      open: fs.readdirSync('/proc/self/fd').filter((fd) => {
        try { return fs.readlinkSync('/proc/self/fd/' + fd) === file; } catch { return false; }
      }).length,
      listed: mappings().length,
    });
    const form = { backing: 'file', sharing: 'shared', access: 'readwrite', grow: true, file };`;

  test('grow is ENOSPC, and the file, the descriptors and the mappings are as they were', () => {
    const { failed, before, after } = onSmallDisk(`${STATE}
      fs.writeFileSync(file, 'x'.repeat(5000));
      const before = state();
      const failed = attempt(() => mmap({ ...form, length: 1 << 20 }).length);
      answer({ failed, before, after: state() });`) as { failed: Failed; before: object; after: object };
    expect(failed.error).toMatchObject({ code: 'ENOSPC', syscall: 'fallocate', errno: -28 });
    expect(after).toEqual(before);
    expect(after).toMatchObject({ size: 5000, mapped: false, open: 0, listed: 0 });
  });

  test('resize with grow is ENOSPC, and the mapping goes on as it was', () => {
    const { failed, after, text } = onSmallDisk(`${STATE}
      fs.writeFileSync(file, 'x'.repeat(8192));
      const mapping = mmap({ ...form, length: 8192 });
      const { bytes } = mapping;
      const failed = attempt(() => mapping.resize(1 << 20, { grow: true }));
      bytes[0] = 97;
      answer({ failed, after: state(), text: mapping.text({ length: 2 }) });`) as {
      failed: Failed;
      after: object;
      text: string;
    };
    expect(failed.error).toMatchObject({ code: 'ENOSPC', syscall: 'fallocate' });
    expect(after).toMatchObject({ size: 8192, listed: 1 });
    expect(text).toBe('ax');
  });

  test('what was grown can be written to the last byte, though nothing else fits', () => {
    const sum = onSmallDisk(`${STATE}
      fs.writeFileSync(file, '');
      const mapping = mmap({ ...form, length: 128 * 1024 });
      attempt(() => fs.writeFileSync(given + '/rest', 'x'.repeat(1 << 20)));
      mapping.bytes.fill(1);
      answer(mapping.bytes.reduce((sum, byte) => sum + byte, 0));`) as number;
    expect(sum).toBe(128 * 1024);
  });

  test('populate() of a hole reports it, where a write would have been a signal', () => {
    const { failed, text } = onSmallDisk(`${STATE}
      fs.writeFileSync(file, 'x');
      fs.truncateSync(file, 1 << 20);
      const mapping = mmap({ ...form, grow: false });
      const failed = attempt(() => mapping.populateSync({ write: true }));
      answer({ failed, text: mapping.text({ length: 1 }) });`) as { failed: Failed; text: string };
    expect(failed.error).toMatchObject({ code: 'EFAULT', syscall: 'madvise' });
    expect(failed.error.message).toContain('MADV_POPULATE_WRITE');
    expect(text).toBe('x');
  });

  test('write() copies what fits and says how much that was', () => {
    const { count, content } = onSmallDisk(`${STATE}
      fs.writeFileSync(given + '/rest', 'x'.repeat(252 * 1024));
      fs.writeFileSync(file, '');
      fs.truncateSync(file, 2 * 4096);
      const mapping = mmap({ ...form, grow: false });
      const count = mapping.write(Buffer.alloc(2 * 4096, 'y'));
      answer({ count, content: fs.readFileSync(file, 'latin1').slice(0, count) });`) as {
      count: number;
      content: string;
    };
    expect(count).toBe(PAGE);
    expect(content).toBe('y'.repeat(PAGE));
  });
});
