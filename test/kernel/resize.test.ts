import { statSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { attach, type Mapping, mmap } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { occupyThreadPool } from '../helpers/pool.js';
import { addressOf, areasIn, smaps } from '../helpers/smaps.js';
import { expectUnchanged } from '../helpers/unchanged.js';

const folder = tempDir();
const coded = (code: string): unknown => expect.objectContaining({ code });
const anonymous = (pages: number): Mapping =>
  mmap({ backing: 'anonymous', sharing: 'private', length: pages * PAGE, advice: 'dontdump' });

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
