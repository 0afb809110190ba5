import { constants } from 'node:buffer';
import { closeSync, ftruncateSync, openSync, statSync, truncateSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { mappings, mmap } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir, tempFile } from '../helpers/files.js';
import { addressOf, smaps } from '../helpers/smaps.js';

const folder = tempDir();
const GiB = 2 ** 30;

describe('an offset need not be aligned', () => {
  const file = tempFile(folder, Buffer.from(Array.from({ length: 5 * PAGE }, (_, i) => i % 251)));

  test.each([0, 1, 7, 8, 9, 4095, 4096, 4097, 8191, 12_345])('the first byte is the file’s byte %i', (offset) => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file, offset });
    const rest = 5 * PAGE - offset;
    expect(mapping).toMatchObject({ offset, length: rest });
    expect(mapping.bytes).toHaveLength(rest);
    expect(mapping.bytes[0]).toBe(offset % 251);
    expect(mapping.bytes[rest - 1]).toBe((5 * PAGE - 1) % 251);
    expect(mapping.view(Uint8Array, 1, 2)).toEqual(Uint8Array.of((offset + 1) % 251, (offset + 2) % 251));
    expect(mapping.buffer.byteLength).toBe(rest + (offset % 8));
    expect(mapping.bytes.byteOffset).toBe(offset % 8);
    const area = smaps(addressOf(mapping));
    expect(area.offset).toBe(offset - (offset % PAGE));
    expect(addressOf(mapping)).toBe(area.start + (offset % PAGE));
  });

  test('a write at an unaligned offset changes that byte of the file and no other', () => {
    const path = tempFile(folder, Buffer.alloc(3 * PAGE, '.'));
    using mapping = mmap({
      backing: 'file',
      sharing: 'shared',
      access: 'readwrite',
      file: path,
      offset: 5001,
      length: 2,
    });
    mapping.bytes.fill('X');
    using all = mmap({ backing: 'file', sharing: 'shared', file: path });
    expect(all.bytes.indexOf('X')).toBe(5001);
    expect(all.bytes.lastIndexOf('X')).toBe(5002);
  });

  test('no buffer reaches a byte of the page that is not the mapping’s, but for alignment', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file, offset: 4097, length: 10 });
    expect(mapping.buffer.byteLength).toBe(11);
    expect(() => mapping.view(Uint8Array, 0, 11)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });

  test('elements that are not aligned in memory are refused, and a DataView reads them', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file, offset: 2 });
    expect(() => mapping.view(Uint32Array, 0, 8)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
    expect(mapping.view(Uint16Array, 0, 4)[1]).toBe(0x05_04);
    expect(mapping.view(Uint32Array, 2, 8)[0]).toBe(0x07_06_05_04);
    expect(mapping.view(DataView).getUint32(1, true)).toBe(0x06_05_04_03);
    expect(() => mapping.view(Uint32Array, 2, 7)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });

  test('a view takes its offset and length in bytes, whatever its elements', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    const view = mapping.view(Float64Array, 16, 32);
    expect(view).toHaveLength(4);
    expect(new Uint8Array(view.buffer, view.byteOffset, 1)[0]).toBe(16);
    expect(mapping.view(BigInt64Array, 8n, 8n)).toHaveLength(1);
    expect(mapping.view(Buffer, 3, 2)).toEqual(Buffer.from([3, 4]));
  });
});

describe('the end of the file', () => {
  const file = pagesOf(folder, 2);
  const size = 2 * PAGE;

  test('is where a mapping without a length ends', () => {
    using odd = mmap({ backing: 'file', sharing: 'private', file: tempFile(folder, 'seven'), offset: 2n });
    expect(odd.text()).toBe('ven');
  });

  test.each([
    [0, size + 1],
    [1, size],
    [size, 1],
    [size + 1, 0],
    [size + 1, undefined],
    [2 ** 53 - 1, undefined],
    [0, 2 ** 53 - 1],
  ])('is not passed: offset %i, length %s', (offset, length) => {
    const before = mappings().length;
    const form = { backing: 'file', sharing: 'private', file, offset, length } as const;
    expect(() => mmap(form)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
    expect(() => mmap(form)).toThrow(`${size}`);
    expect(mappings()).toHaveLength(before);
  });

  test('can be reached to the last byte', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file, offset: BigInt(size - 1), length: 1n });
    expect(mapping.text()).toBe('b');
  });

  test.each([undefined, 0])('an empty file gives an empty mapping with length %s', (length) => {
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: tempFile(folder), length });
    expect(mapping.length).toBe(0);
    expect(mapping.bytes).toHaveLength(0);
    expect(mapping.view(Float64Array)).toHaveLength(0);
  });

  test('length 0 in the middle of a file is an empty mapping, on which every method does nothing', async () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file, offset: 100, length: 0 });
    await mapping.sync();
    await mapping.populate();
    await mapping.lock();
    mapping.unlock();
    mapping.advise('random');
    mapping.protect('readwrite');
    expect(await mapping.residency()).toMatchObject({ pages: 0, resident: 0, ratio: 1 });
    expect(mapping.write(new Uint8Array(0))).toBe(0);
    expect(() => mapping.view(Uint8Array, 0, 1)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  });

  test('anonymous memory of no length is an empty mapping too', () => {
    for (const sharing of ['private', 'shared'] as const) {
      using mapping = mmap({ backing: 'anonymous', sharing, length: 0 });
      expect(mapping.bytes).toHaveLength(0);
    }
  });
});

describe('a file of 100 GiB, nearly all of it a hole', () => {
  const file = join(folder, 'sparse');
  const size = 100 * GiB + 123;
  const MARKS = [0, 2 * GiB - 10, 2 * GiB + 1, 4 * GiB - 1, 4 * GiB + 5, 8 * GiB + 4097, 64 * GiB + 7, 100 * GiB + 100];

  beforeAll(() => {
    const fd = openSync(file, 'w');
    for (const [i, position] of MARKS.entries()) writeSync(fd, `mark ${i}`, position);
    ftruncateSync(fd, size);
    closeSync(fd);
  });

  test('takes no place on the disk', () => {
    expect(statSync(file).blocks * 512).toBeLessThan(GiB);
  });

  test.each(MARKS.map((position, i) => [position, i]))('byte %i by the offset of a mapping', (offset, i) => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file, offset, length: 6 });
    expect(mapping.bytes.toString()).toBe(`mark ${i}`);
    expect(smaps(addressOf(mapping)).offset).toBe(offset - (offset % PAGE));
  });

  test('every mark by a view into one mapping of it all, by read() and by text()', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    expect(mapping.length).toBe(size);
    for (const [i, position] of MARKS.entries()) {
      expect(Buffer.from(mapping.view(Uint8Array, position, 6)).toString()).toBe(`mark ${i}`);
      expect(mapping.text({ offset: BigInt(position), length: 6 })).toBe(`mark ${i}`);
      const copy = Buffer.alloc(6);
      mapping.read(copy, { offset: position });
      expect(copy.toString()).toBe(`mark ${i}`);
    }
  });

  test('a view that straddles 4 GiB has both sides', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    const view = mapping.view(Uint8Array, 4 * GiB - 2, 8);
    expect(String.fromCodePoint(...view.subarray(1, 7))).toBe('mark 3');
    const doubles = mapping.view(Float64Array, 64 * GiB, 16);
    expect(doubles).toHaveLength(2);
    expect(doubles[0]).not.toBe(0);
  });

  test('a write beyond 64 GiB lands there', () => {
    const offset = 64 * GiB + 12_345;
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    mapping.view(Uint8Array, offset, 4).set(Buffer.from('here'));
    mapping.write(Buffer.from('there'), { offset: offset + 100 });
    using window = mmap({ backing: 'file', sharing: 'shared', file, offset, length: 105 });
    expect(window.text({ length: 4 })).toBe('here');
    expect(window.text({ offset: 100 })).toBe('there');
  });

  test.skipIf(constants.MAX_LENGTH > size)('more than one ArrayBuffer can be is refused, and windows work', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    for (const whole of [() => mapping.buffer, () => mapping.bytes, () => mapping.view(Uint8Array)])
      expect(whole).toThrow(expect.objectContaining({ name: 'RangeError', code: 'ERR_BUFFER_TOO_LARGE' }));
    const largest = constants.MAX_LENGTH - (constants.MAX_LENGTH % 8);
    expect(mapping.view(BigUint64Array, 0, largest)).toHaveLength(largest / 8);
  });

  test('methods take ranges beyond 4 GiB', async () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    const range = { offset: 64 * GiB, length: 1 };
    await mapping.populate(range);
    expect(await mapping.residency(range)).toMatchObject({ pages: 1, resident: 1 });
    mapping.advise('random', { offset: 99 * GiB });
    expect(smaps(Number(mappings().find(({ length }) => length === size)?.address) + 99 * GiB).flags).toContain('rr');
  });
});

test('a length that cannot be an address range is an error of the kernel, and leaves nothing', () => {
  const file = join(folder, 'longest');
  const before = mappings().length;
  closeSync(openSync(file, 'w'));
  truncateSync(file, 2 ** 43); // 8 TiB: the longest that ext4 keeps is 16
  using mapping = mmap({ backing: 'file', sharing: 'private', file, offset: 2 ** 42, length: 2 ** 42 });
  expect(mapping.view(Uint8Array, 2 ** 42 - 1)).toEqual(Uint8Array.of(0));
  expect(() => mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 52 })).toThrow(
    expect.objectContaining({ code: 'ENOMEM', syscall: 'mmap', errno: -12 }),
  );
  expect(() => mmap({ backing: 'anonymous', sharing: 'shared', length: 2 ** 52 })).toThrow(
    expect.objectContaining({ syscall: expect.stringMatching(/^(ftruncate|mmap)$/) as unknown }),
  );
  expect(mappings()).toHaveLength(before + 1);
});
