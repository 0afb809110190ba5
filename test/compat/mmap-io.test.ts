import { closeSync, openSync, readFileSync, truncateSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, describe, expect, test } from 'vitest';
import * as named from '../../lib/compat/mmap-io.js';
import mmap from '../../lib/compat/mmap-io.js';
import { mappings } from '../../lib/index.js';
import { runChild } from '../helpers/children.js';
import { PAGE, pagesOf, tempDir, tempFile } from '../helpers/files.js';
import { noStrace } from '../helpers/skip.js';
import { areasOf } from '../helpers/smaps.js';
import { strace } from '../helpers/strace.js';

const { MADV_DONTNEED, MADV_RANDOM, MAP_PRIVATE, MAP_SHARED, PROT_EXEC, PROT_READ, PROT_WRITE } = mmap;
const MAP_ANONYMOUS = 0x20;
const ALL = PROT_READ | PROT_WRITE;

const folder = tempDir();
const opened: number[] = [];
const open = (path: string, flags = 'r+'): number => {
  const fd = openSync(path, flags);
  opened.push(fd);
  return fd;
};
afterAll(() => opened.forEach((fd) => closeSync(fd)));

describe('the interface', () => {
  test('has the names and numbers of mmap-io on Linux', () => {
    expect({ ...mmap }).toMatchObject({
      PROT_NONE: 0,
      PROT_READ: 1,
      PROT_WRITE: 2,
      PROT_EXEC: 4,
      MAP_SHARED: 1,
      MAP_PRIVATE: 2,
      MAP_NONBLOCK: 65_536,
      MAP_POPULATE: 32_768,
      MADV_NORMAL: 0,
      MADV_RANDOM: 1,
      MADV_SEQUENTIAL: 2,
      MADV_WILLNEED: 3,
      MADV_DONTNEED: 4,
      PAGESIZE: PAGE,
    });
    const calls = Object.entries(mmap).filter(([, value]) => typeof value === 'function');
    expect(calls.map(([name]) => name).toSorted()).toEqual(['advise', 'incore', 'map', 'sync', 'sync_lib_private__']);
  });

  test('is the same by require(), by its names and as a default', () => {
    const required = createRequire(import.meta.url)('mmap-native/compat/mmap-io') as Record<string, unknown>;
    expect(Object.keys(required)).toEqual(expect.arrayContaining(Object.keys(mmap)));
    expect(Object.keys(required['default'] as object).toSorted()).toEqual(Object.keys(mmap).toSorted());
    expect(named).toMatchObject({ ...mmap });
  });

  test('cannot be changed', () => {
    expect(Reflect.set(mmap, 'PAGESIZE', 47)).toBe(false);
    expect(mmap.PAGESIZE).toBe(PAGE);
  });
});

describe('map', () => {
  test('shared: what is written is in the file, and in another Buffer', () => {
    const path = pagesOf(folder, 2);
    const buffer = mmap.map(2 * PAGE, PROT_WRITE, MAP_SHARED, open(path));
    const other = mmap.map(2 * PAGE, PROT_READ, MAP_SHARED, open(path, 'r'), 0, MADV_RANDOM);
    buffer.write('changed', PAGE);
    expect(other.toString('latin1', PAGE, PAGE + 7)).toBe('changed');
    expect(readFileSync(path).toString('latin1', PAGE, PAGE + 7)).toBe('changed');
    expect(
      areasOf(path)
        .map(({ permissions }) => permissions)
        .toSorted(),
    ).toEqual(['r--s', 'rw-s']);
  });

  test('private: what is written stays here', () => {
    const path = pagesOf(folder, 1);
    const buffer = mmap.map(PAGE, ALL, MAP_PRIVATE, open(path, 'r'));
    buffer.fill('x');
    expect(readFileSync(path, 'latin1')).toBe('a'.repeat(PAGE));
  });

  test('the descriptor may be closed at once', () => {
    const fd = openSync(pagesOf(folder, 1), 'r');
    const buffer = mmap.map(PAGE, PROT_READ, MAP_SHARED, fd);
    closeSync(fd);
    expect(buffer.toString('latin1', 0, 3)).toBe('aaa');
  });

  test('PROT_EXEC is taken, and nothing becomes executable', () => {
    const path = pagesOf(folder, 1);
    const buffer = mmap.map(PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, open(path, 'r'));
    expect(buffer[0]).toBe(97);
    expect(areasOf(path).map(({ permissions }) => permissions)).toEqual(['r--s']);
  });

  test('an offset of 4 GiB and more is the byte there', () => {
    const path = tempFile(folder);
    truncateSync(path, 2 ** 32 + 2 * PAGE);
    mmap.map(PAGE, ALL, MAP_SHARED, open(path), 2 ** 32 + PAGE).write('beyond');
    expect(mmap.map(PAGE, PROT_READ, MAP_SHARED, open(path, 'r'), 2 ** 32 + PAGE).toString('latin1', 0, 6)).toBe(
      'beyond',
    );
    expect(mmap.map(PAGE, PROT_READ, MAP_SHARED, open(path, 'r'), PAGE).toString('latin1', 0, 6)).toBe('\0'.repeat(6));
  });

  test('an offset inside of a page is taken, too', () => {
    const buffer = mmap.map(4, PROT_READ, MAP_SHARED, open(pagesOf(folder, 2), 'r'), PAGE - 2);
    expect(buffer.toString('latin1')).toBe('aabb');
    expect(mmap.incore(buffer)).toEqual([0, 2]);
  });

  test('past the end of the file there are zeros, in the page that it ends in and behind', () => {
    const path = tempFile(folder, 'short');
    const buffer = mmap.map(3 * PAGE, PROT_READ, MAP_SHARED, open(path, 'r'));
    expect(buffer).toHaveLength(3 * PAGE);
    expect(buffer.toString('latin1', 0, 6)).toBe('short\0');
    expect(buffer[2 * PAGE]).toBe(0);
    expect(mmap.map(PAGE, PROT_READ, MAP_SHARED, open(path, 'r'), PAGE)[0]).toBe(0);
  });

  test('writing to what may only be read changes no file, and ends nothing', () => {
    const path = pagesOf(folder, 1);
    const buffer = mmap.map(PAGE, PROT_READ, MAP_SHARED, open(path));
    buffer[0] = 1;
    expect(readFileSync(path)[0]).toBe(97);
  });

  test.each([
    ['populated', mmap.MAP_POPULATE, true],
    ['not, with MAP_NONBLOCK', mmap.MAP_POPULATE | mmap.MAP_NONBLOCK, false],
  ])('%s', (_name, flags, there) => {
    const buffer = mmap.map(16 * PAGE, ALL, MAP_PRIVATE | MAP_ANONYMOUS | flags, -1);
    expect(mmap.incore(buffer)).toEqual(there ? [0, 16] : [16, 0]);
  });

  test('MAP_ANONYMOUS: zeros, with no file at all', () => {
    const buffer = mmap.map(PAGE, ALL, MAP_SHARED | MAP_ANONYMOUS, -1);
    expect(buffer.every((byte) => byte === 0)).toBe(true);
    buffer[0] = 1;
    expect(buffer[0]).toBe(1);
  });

  test.each([
    ['a size that is none', ['foo', PROT_READ, MAP_SHARED, 0], 'ERR_INVALID_ARG_TYPE', undefined],
    ['a size of 0', [0, PROT_READ, MAP_SHARED, 0], 'EINVAL', 'mmap'],
    ['a size of -1', [-1, PROT_READ, MAP_SHARED, 0], 'ERR_OUT_OF_RANGE', undefined],
    ['half a byte', [0.5, PROT_READ, MAP_SHARED, 0], 'ERR_OUT_OF_RANGE', undefined],
    ['no protection', [1, undefined, MAP_SHARED, 0], 'ERR_INVALID_ARG_TYPE', undefined],
    ['PROT_NONE', [1, mmap.PROT_NONE, MAP_SHARED, 0], 'ERR_INVALID_ARG_VALUE', undefined],
    ['a protection of 8', [1, 8, MAP_SHARED, 0], 'ERR_INVALID_ARG_VALUE', undefined],
    ['no flags', [1, PROT_READ, 0, 0], 'EINVAL', 'mmap'],
    ['both flags', [1, PROT_READ, MAP_SHARED | MAP_PRIVATE, 0], 'EINVAL', 'mmap'],
    ['MAP_FIXED', [1, PROT_READ, MAP_SHARED | 0x10, 0], 'ERR_INVALID_ARG_VALUE', undefined],
    ['no descriptor', [1, PROT_READ, MAP_SHARED], 'ERR_INVALID_ARG_TYPE', undefined],
    ['a descriptor that is not open', [1, PROT_READ, MAP_SHARED, 9999], 'EBADF', 'fstat'],
    ['an offset of -1', [1, PROT_READ, MAP_SHARED, 0, -1], 'ERR_OUT_OF_RANGE', undefined],
    ['an advice that is none', [1, PROT_READ, MAP_SHARED, 0, 0, 99], 'EINVAL', 'madvise'],
  ])('refuses %s with a code', (_name, words, code, syscall) => {
    const before = mappings().length;
    const call = mmap.map as (...given: unknown[]) => Buffer;
    expect(() => call(...words)).toThrow(
      expect.objectContaining({ code, ...(syscall === undefined ? {} : { syscall }) }),
    );
    expect(mappings()).toHaveLength(before);
  });

  test('writing to a shared mapping of what was opened for reading: EACCES', () => {
    const fd = open(pagesOf(folder, 1), 'r');
    expect(() => mmap.map(PAGE, PROT_WRITE, MAP_SHARED, fd)).toThrow(
      expect.objectContaining({ code: 'EACCES', errno: -13, syscall: 'mmap' }),
    );
  });
});

describe('advise', () => {
  test('of a Buffer and of a range', () => {
    const buffer = mmap.map(4 * PAGE, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    buffer.fill(1);
    mmap.advise(buffer, PAGE, PAGE, MADV_DONTNEED);
    expect([0, 1, 2, 3].map((page) => buffer[page * PAGE])).toEqual([1, 0, 1, 1]);
    mmap.advise(buffer, MADV_DONTNEED);
    expect(buffer.every((byte) => byte === 0)).toBe(true);
  });

  test('that throws bytes away keeps those of a page that is only in part in the range', () => {
    const buffer = mmap.map(2 * PAGE, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    buffer.fill(1);
    mmap.advise(buffer, PAGE, 100, MADV_DONTNEED);
    expect(buffer.every((byte) => byte === 1)).toBe(true);
  });

  test('of a part of a Buffer counts from that part', () => {
    const buffer = mmap.map(4 * PAGE, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    buffer.fill(1);
    mmap.advise(buffer.subarray(2 * PAGE, 3 * PAGE), MADV_DONTNEED);
    expect([0, 1, 2, 3].map((page) => buffer[page * PAGE])).toEqual([1, 1, 0, 1]);
  });

  test.each([
    ['past the end', 0, PAGE + 1],
    ['from past the end', PAGE + 1, 0],
    ['before the start', -PAGE, PAGE],
    ['round the end of all numbers', PAGE, Number.MAX_SAFE_INTEGER],
  ])('%s is refused', (_name, offset, length) => {
    const buffer = mmap.map(PAGE, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    expect(() => mmap.advise(buffer, offset, length, MADV_DONTNEED)).toThrow(
      expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
    );
  });

  test('of memory that map() did not return is refused, and the memory is as it was', () => {
    const heap = Buffer.alloc(4 * PAGE, 1);
    for (const call of [() => mmap.advise(heap, MADV_DONTNEED), () => mmap.incore(heap), () => mmap.sync(heap, true)])
      expect(call).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
    expect(heap.every((byte) => byte === 1)).toBe(true);
    const none = {} as unknown as Buffer;
    expect(() => mmap.incore(none)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });

  test('takes two or four arguments', () => {
    const buffer = mmap.map(PAGE, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    const call = mmap.advise as (...given: unknown[]) => void;
    for (const words of [[], [0, PAGE], ['random']])
      expect(() => call(buffer, ...words)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
    expect(() => call(buffer, 99)).toThrow(expect.objectContaining({ code: 'EINVAL', errno: -22, syscall: 'madvise' }));
  });
});

describe('incore', () => {
  test('counts the pages that are not in memory, and those that are', () => {
    const buffer = mmap.map(4 * PAGE + 1, ALL, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    expect(mmap.incore(buffer)).toEqual([5, 0]);
    buffer[PAGE] = 1;
    expect(mmap.incore(buffer)).toEqual([4, 1]);
    expect(mmap.incore(buffer.subarray(PAGE, 2 * PAGE))).toEqual([0, 1]);
  });
});

describe('sync', () => {
  test.skipIf(noStrace())('calls msync(2) where it blocks, on the pages of the range, and nothing otherwise', () => {
    const library = new URL('../../dist/compat/mmap-io.js', import.meta.url).href;
    const calls = strace(
      `const { default: old } = await import('${library}');
       const fd = fs.openSync(given, 'r+');
       const buffer = old.map(4 * 4096, old.PROT_WRITE, old.MAP_SHARED, fd);
       old.sync(buffer);
       old.sync(buffer, 4096, 4096);
       old.sync(buffer, true);
       old.sync(buffer, true, true);
       old.sync(buffer, 4096, 4096, true);
       old.sync(buffer, 4096, 0, true, true);
       old.sync(buffer.subarray(2 * 4096), 4096, 1, true);
       old.sync_lib_private__(buffer, 0, 1, true, false)`,
      'msync',
      { given: pagesOf(folder, 4) },
    );
    expect(calls.map((call) => /, (\d+), (\S+)\)/.exec(call)?.slice(1))).toEqual([
      ['16384', 'MS_SYNC'],
      ['16384', 'MS_SYNC|MS_INVALIDATE'],
      ['4096', 'MS_SYNC'],
      ['12288', 'MS_SYNC|MS_INVALIDATE'],
      ['4096', 'MS_SYNC'],
      ['4096', 'MS_SYNC'],
    ]);
  });

  test.each([
    ['past the end', [PAGE, 1]],
    ['past the end, not blocking', [0, PAGE + 1, false]],
    ['before the start', [-1, 1]],
  ])('%s is refused', (_name, words) => {
    const buffer = mmap.map(PAGE, PROT_WRITE, MAP_SHARED, open(pagesOf(folder, 1)));
    const call = mmap.sync as (...given: unknown[]) => void;
    expect(() => call(buffer, ...words)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });
});

test('a Buffer that nobody holds is unmapped, one that has a part left is not', () => {
  const library = new URL('../../dist/compat/mmap-io.js', import.meta.url).href;
  const counts = runChild(
    `const { default: old } = await import('${library}');
     const { setFlagsFromString } = await import('node:v8');
     setFlagsFromString('--expose-gc');
     const gc = (await import('node:vm')).runInNewContext('gc');
     const settle = async () => {
       for (let i = 0; i < 5; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 20)); }
       return mappings().length;
     };
     const one = () => old.map(4096, old.PROT_READ, old.MAP_PRIVATE | 0x20, -1);
     let part = one().subarray(10, 20);
     for (let i = 0; i < 10; i++) one();
     const held = await settle();
     const stays = part.length;
     part = undefined;
     answer([held, stays, await settle()]);`,
  );
  expect(counts).toEqual([1, 10, 0]);
});
