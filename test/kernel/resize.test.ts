import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attach, type Mapping, mappings, mmap } from '../../lib/index.js';
import { allocated, descriptorsOf, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { occupyThreadPool } from '../helpers/pool.js';
import { addressOf, areasIn, areasOf, smaps } from '../helpers/smaps.js';

const folder = tempDir();
const coded = (code: string): unknown => expect.objectContaining({ code });
const anonymous = (pages: number): Mapping =>
  mmap({ backing: 'anonymous', sharing: 'private', length: pages * PAGE, advice: 'dontdump' });

/** Everything that a refused resize() must leave as it was. */
const expectUnchanged = (mapping: Mapping, body: () => void, error: unknown): void => {
  const before = { info: mappings().map(({ address, length }) => [address, length]), buffer: mapping.buffer };
  const { length, bytes } = mapping;
  expect(body).toThrow(error);
  expect(mapping.length).toBe(length);
  expect(mapping.bytes).toBe(bytes);
  expect(mapping.buffer).toBe(before.buffer);
  expect(bytes).toHaveLength(length);
  expect(mappings().map((info) => [info.address, info.length])).toEqual(before.info);
};

describe('private anonymous memory', () => {
  test.each([
    [1, 100],
    [100, 1],
    [3, 3],
  ])('from %i to %i pages keeps the bytes it has, and what is new is zeros', (from, to) => {
    using mapping = anonymous(from);
    mapping.write(Buffer.alloc(from * PAGE, 1));
    mapping.resize(to * PAGE);
    expect(mapping.length).toBe(to * PAGE);
    const area = smaps(addressOf(mapping));
    expect(area.end - area.start).toBe(to * PAGE);
    const same = Math.min(from, to) * PAGE;
    expect(mapping.bytes.subarray(0, same).every((byte) => byte === 1)).toBe(true);
    expect(mapping.bytes.subarray(same).every((byte) => byte === 0)).toBe(true);
  });

  test('inside of its last page only the length changes', () => {
    using mapping = anonymous(1);
    const address = addressOf(mapping);
    mapping.resize(10);
    mapping.resize(20n);
    expect(addressOf(mapping)).toBe(address);
    expect(mapping.bytes).toHaveLength(20);
  });

  test('to nothing and back', () => {
    using mapping = anonymous(2);
    const address = addressOf(mapping);
    mapping.resize(0);
    expect(mapping.bytes).toHaveLength(0);
    expect(areasIn(address, 2 * PAGE).filter(({ flags }) => flags.includes('dd'))).toEqual([]);
    mapping.resize(5);
    mapping.bytes.fill(1);
    expect(mapping.text({}, 'hex')).toBe('01'.repeat(5));
  });

  test('beyond all address space is ENOMEM, and changes nothing', () => {
    using mapping = anonymous(1);
    expectUnchanged(mapping, () => mapping.resize(2 ** 46), coded('ENOMEM'));
    expectUnchanged(mapping, () => mapping.resize(2 ** 52), expect.objectContaining({ syscall: 'mremap' }));
  });
});

test('all views made before are detached, and the buffer is new', () => {
  using mapping = anonymous(2);
  const { buffer, bytes } = mapping;
  const views = [mapping.view(Uint8Array), mapping.view(Float64Array, 8, 16), bytes.subarray(10, 20)];
  bytes.fill(1);
  mapping.resize(4 * PAGE);
  expect(buffer.byteLength).toBe(0);
  expect(bytes).toHaveLength(0);
  for (const view of views) expect(view).toHaveLength(0);
  expect(bytes[0]).toBeUndefined();
  expect(mapping.buffer).not.toBe(buffer);
  expect(mapping.bytes.subarray(0, 2 * PAGE).every((byte) => byte === 1)).toBe(true);
  // where they were, nothing of it is left: zeros, or nothing at all
  mapping.resize(PAGE);
  expect(mapping.bytes.every((byte) => byte === 1)).toBe(true);
});

describe('a file', () => {
  test.each([0, 4097, 5000])('shrinks and grows over its file, from byte %i', (offset) => {
    const file = pagesOf(folder, 6);
    const content = readFileSync(file, 'latin1');
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, offset, length: 10 });
    for (const length of [3 * PAGE + 1, 1, 4 * PAGE, 2 * PAGE, 0, 6 * PAGE - offset]) {
      mapping.resize(length);
      expect(mapping.text()).toBe(content.slice(offset, offset + length));
      expect(mapping.bytes.toString('latin1')).toBe(content.slice(offset, offset + length));
      expect(mapping.bytes.byteOffset).toBe(length === 0 ? 0 : offset % 8);
    }
    expect(statSync(file).size).toBe(6 * PAGE);
    mapping.unmapSync();
    expect(areasOf(file)).toEqual([]);
    expect(descriptorsOf(file)).toEqual([]);
  });

  test('private changes go along', () => {
    const file = pagesOf(folder, 4);
    using mapping = mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file, length: PAGE });
    mapping.bytes.write('MINE');
    mapping.resize(4 * PAGE);
    expect(mapping.text({ length: 5 })).toBe('MINEa');
    expect(mapping.text({ offset: 3 * PAGE, length: 2 })).toBe('dd');
    expect(readFileSync(file, 'latin1').slice(0, 4)).toBe('aaaa');
  });

  test('is never cut: a shorter mapping just covers less', () => {
    const file = pagesOf(folder, 2);
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    mapping.resize(1, { grow: true });
    mapping.resize(0, { grow: true });
    expect(statSync(file).size).toBe(2 * PAGE);
  });

  test('past its end needs grow, which allocates the blocks', () => {
    const file = pagesOf(folder, 2);
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, offset: 100 });
    expectUnchanged(mapping, () => mapping.resize(2 * PAGE), coded('ERR_OUT_OF_RANGE'));
    expect(() => mapping.resize(2 * PAGE)).toThrow(`${2 * PAGE - 100}`);
    mapping.resize(64 * PAGE, { grow: true });
    expect(statSync(file).size).toBe(64 * PAGE + 100);
    expect(allocated(file)).toBeGreaterThanOrEqual(64 * PAGE);
    mapping.bytes[64 * PAGE - 1] = 1;
    expect(readFileSync(file).at(-1)).toBe(1);
  });

  test('that another took the place of is ERR_STALE_HANDLE, and changes nothing', () => {
    const file = pagesOf(folder, 4);
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, length: PAGE });
    rmSync(file);
    writeFileSync(file, 'x'.repeat(4 * PAGE));
    expectUnchanged(mapping, () => mapping.resize(2 * PAGE), coded('ERR_STALE_HANDLE'));
    expectUnchanged(mapping, () => mapping.resize(8 * PAGE, { grow: true }), coded('ERR_STALE_HANDLE'));
    expect(statSync(file).size).toBe(4 * PAGE);
    rmSync(file);
    expectUnchanged(mapping, () => mapping.resize(2 * PAGE), coded('ENOENT'));
    mapping.resize(10);
    expect(mapping.text()).toBe('a'.repeat(10));
  });

  test('that was given as a descriptor must be named to grow the mapping', () => {
    const file = pagesOf(folder, 4);
    const fd = openSync(file, 'r+');
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: fd, length: PAGE });
    expectUnchanged(mapping, () => mapping.resize(2 * PAGE), coded('ERR_MISSING_OPTION'));
    mapping.resize(2 * PAGE, { file: fd });
    expect(mapping.text({ offset: PAGE, length: 2 })).toBe('bb');
    mapping.resize(8 * PAGE, { file, grow: true });
    expect(statSync(file).size).toBe(8 * PAGE);
    expect(descriptorsOf(file)).toContain(fd);
    closeSync(fd);
    const other = pagesOf(folder, 16);
    expectUnchanged(mapping, () => mapping.resize(16 * PAGE, { file: other }), coded('ERR_STALE_HANDLE'));
  });
});

describe('what cannot be resized is refused, and stays as it was', () => {
  test('while an operation is in flight', async () => {
    using mapping = anonymous(64);
    mapping.bytes[0] = 7;
    const release = occupyThreadPool(folder);
    const populating = mapping.populate();
    expectUnchanged(mapping, () => mapping.resize(PAGE), coded('EBUSY'));
    expect(() => mapping.resize(PAGE)).toThrow('await');
    await release();
    await populating;
    mapping.resize(PAGE);
    expect(mapping.bytes[0]).toBe(7);
  });

  test('while others have attached', () => {
    using mapping = anonymous(2);
    const other = attach(mapping.handle());
    expectUnchanged(mapping, () => mapping.resize(PAGE), coded('EBUSY'));
    expectUnchanged(other, () => other.resize(PAGE), coded('EBUSY'));
    other.unmapSync();
    mapping.resize(4 * PAGE);
    expect(mapping.bytes).toHaveLength(4 * PAGE);
  });

  test('a file is not grown for a mapping that others have attached to', () => {
    const file = pagesOf(folder, 1);
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    using other = attach(mapping.handle());
    expectUnchanged(mapping, () => mapping.resize(8 * PAGE, { grow: true }), coded('EBUSY'));
    expect(statSync(file).size).toBe(PAGE);
    expect(other.length).toBe(PAGE);
  });

  test('parts that were treated differently: EFAULT, with a sentence that says so', () => {
    using mapping = anonymous(6);
    mapping.bytes.fill(1);
    mapping.protect('read', { offset: PAGE, length: PAGE });
    expectUnchanged(mapping, () => mapping.resize(64 * PAGE), coded('EFAULT'));
    expect(() => mapping.resize(64 * PAGE)).toThrow('Parts of the mapping');
    mapping.protect('readwrite');
    mapping.resize(64 * PAGE);
    expect(mapping.bytes.subarray(0, 6 * PAGE).every((byte) => byte === 1)).toBe(true);
  });

  test('shared anonymous memory cannot grow: its length is sealed', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE });
    expectUnchanged(mapping, () => mapping.resize(2 * PAGE), coded('ERR_INVALID_STATE'));
    mapping.resize(100);
    expect(mapping.bytes).toHaveLength(100);
  });

  test.each([-1, 0.5, -0, Number.NaN, 2 ** 53, -1n])('a length of %s', (length) => {
    using mapping = anonymous(1);
    expectUnchanged(mapping, () => mapping.resize(length), coded('ERR_OUT_OF_RANGE'));
    expect(mapping.text({ length: 1 })).toBe('\0');
  });

  test('a mapping that is unmapped', () => {
    const mapping = anonymous(1);
    mapping.unmapSync();
    expect(() => mapping.resize(PAGE)).toThrow(coded('ERR_INVALID_STATE'));
  });
});
