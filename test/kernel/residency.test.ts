import { truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mmap, type Residency } from '../../lib/index.js';
import { evict, hasDisk, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { lacks } from '../helpers/skip.js';
import { addressOf, smaps } from '../helpers/smaps.js';

const folder = tempDir();

/** The bitmap, a character a page. */
const bits = ({ bitmap, pages }: Residency): string =>
  Array.from({ length: pages }, (_, i) => (((bitmap[i >> 3] ?? 0) >> (i & 7)) & 1 ? '1' : '0')).join('');

describe('residency', () => {
  test('of anonymous memory has a bit for each page that was touched', async () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 20 * PAGE, advice: 'nohugepage' });
    const untouched = await mapping.residency();
    expect(untouched).toMatchObject({ pageSize: PAGE, pages: 20, resident: 0, ratio: 0 });
    expect(untouched.bitmap).toHaveLength(3);
    for (const page of [0, 7, 8, 19]) mapping.bytes[page * PAGE] = 1;
    const some = mapping.residencySync();
    expect(bits(some)).toBe('10000001100000000001');
    expect(some).toMatchObject({ resident: 4, ratio: 0.2 });
  });

  test('of a range counts the pages that it touches, from the first of them on', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 20 * PAGE, advice: 'nohugepage' });
    mapping.bytes[9 * PAGE] = 1;
    expect(bits(mapping.residencySync({ offset: 9 * PAGE - 1, length: 2 }))).toBe('01');
    expect(bits(mapping.residencySync({ offset: 9 * PAGE, length: 1 }))).toBe('1');
    expect(bits(mapping.residencySync({ offset: 10 * PAGE }))).toBe('0'.repeat(10));
    expect(mapping.residencySync({ offset: 20 * PAGE })).toMatchObject({ pages: 0, resident: 0, ratio: 1 });
  });

  test('counts the pages of an unaligned mapping as the kernel does', () => {
    const file = pagesOf(folder, 4);
    using mapping = mmap({ backing: 'file', sharing: 'shared', file, offset: PAGE - 1, length: 2 });
    expect(mapping.residencySync()).toMatchObject({ pages: 2, resident: 2, ratio: 1 });
    expect(mapping.residencySync({ offset: 1 })).toMatchObject({ pages: 1 });
  });

  test('of more pages than one call of mincore(2) is asked about', async () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 9000 * PAGE, advice: 'nohugepage' });
    const touched = [4095, 4096, 8191, 8192, 8999];
    for (const page of touched) mapping.view(Uint8Array, page * PAGE, 1)[0] = 1;
    const residency = await mapping.residency();
    expect(residency).toMatchObject({ pages: 9000, resident: 5 });
    expect([...bits(residency).matchAll(/1/g)].map(({ index }) => index)).toEqual(touched);
  });

  const noDisk = lacks(hasDisk(folder), 'the temporary folder is a tmpfs, whose pages cannot be evicted');
  test.skipIf(noDisk)('falls to 0 when the kernel forgets the file, and rises with populate()', async () => {
    const file = pagesOf(folder, 64);
    evict(file);
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    expect(await mapping.residency()).toMatchObject({ pages: 64, resident: 0, ratio: 0 });
    await mapping.populate();
    expect(await mapping.residency()).toMatchObject({ resident: 64, ratio: 1 });
  });
});

describe('populate', () => {
  test.each([
    ['private file, to read', 'file', 'private', {}, 0],
    ['private file, to write', 'file', 'private', { write: true }, 16 * PAGE],
    ['shared file, to write', 'file', 'shared', { write: true }, 0],
    ['private anonymous, as it comes', 'anonymous', 'private', {}, 16 * PAGE],
    ['shared anonymous, as it comes', 'anonymous', 'shared', {}, 0],
  ] as const)('%s', async (_name, backing, sharing, options, copied) => {
    const file = pagesOf(folder, 16);
    using mapping =
      backing === 'file'
        ? mmap({ backing, sharing, access: 'readwrite', file })
        : mmap({ backing, sharing, length: 16 * PAGE, advice: 'dontdump' });
    const address = addressOf(mapping);
    await mapping.populate(options);
    expect(smaps(address).bytes('Rss')).toBe(16 * PAGE);
    expect(smaps(address).bytes('Anonymous')).toBe(copied);
  });

  test('of a range populates the pages that it touches', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 16 * PAGE, advice: 'nohugepage' });
    mapping.populateSync({ offset: 3 * PAGE - 1, length: 2 });
    expect(bits(mapping.residencySync())).toBe('0011000000000000');
  });

  test('the option maps with every page there', () => {
    const length = 16 * PAGE;
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length, populate: true, advice: 'dontdump' });
    expect(smaps(addressOf(mapping)).bytes('Rss')).toBe(length);
  });

  test('past the new end of a file that was cut: EFAULT with the name, as a promise and at once', async () => {
    const file = pagesOf(folder, 4);
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    truncateSync(file, PAGE);
    const fault: unknown = expect.objectContaining({ code: 'EFAULT', syscall: 'madvise', errno: -14 });
    await expect(mapping.populate()).rejects.toEqual(fault);
    await expect(mapping.populate({ write: true })).rejects.toThrow("'MADV_POPULATE_WRITE'");
    expect(() => mapping.populateSync()).toThrow(fault);
    expect(() => mapping.populateSync()).toThrow("'MADV_POPULATE_READ'");
    await mapping.populate({ length: PAGE });
  });

  test('for writing, of memory that may only be read: EINVAL', async () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', access: 'read', length: PAGE });
    await expect(mapping.populate({ write: true })).rejects.toMatchObject({ code: 'EINVAL' });
    await mapping.populate();
  });
});
