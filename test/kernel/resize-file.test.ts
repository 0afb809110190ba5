import { closeSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Mapping, mmap } from '../../lib/index.js';
import { allocated, descriptorsOf, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { addressOf, areasOf, smaps } from '../helpers/smaps.js';
import { expectUnchanged } from '../helpers/unchanged.js';

const folder = tempDir();
const coded = (code: string): unknown => expect.objectContaining({ code });

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

describe('a file whose mapping was made read-only since', () => {
  const made = (): { file: string; mapping: Mapping } => {
    const file = pagesOf(folder, 2);
    const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    mapping.protect('read');
    return { file, mapping };
  };

  test('can still be grown', () => {
    const { file, mapping } = made();
    mapping.resize(8 * PAGE, { grow: true });
    expect(statSync(file).size).toBe(8 * PAGE);
    expect(smaps(addressOf(mapping)).permissions).toBe('r--s');
    mapping.unmapSync();
  });

  test('can be made writable again, also after it was nothing', () => {
    const { file, mapping } = made();
    mapping.resize(0);
    mapping.resize(PAGE);
    mapping.protect('readwrite');
    expect(mapping.write(Buffer.from('again'))).toBe(5);
    expect(readFileSync(file, 'latin1').slice(0, 6)).toBe('againa');
    mapping.unmapSync();
  });
});

test('grow asks of a mapping what it asks of mmap(): shared and for writing', () => {
  const file = pagesOf(folder, 2);
  for (const form of [
    { sharing: 'private', access: 'readwrite' },
    { sharing: 'shared', access: 'read' },
  ] as const) {
    using mapping = mmap({ backing: 'file', file, ...form });
    expectUnchanged(mapping, () => mapping.resize(8 * PAGE, { grow: true }), coded('ERR_INVALID_ARG_VALUE'));
    expect(statSync(file).size).toBe(2 * PAGE);
  }
});
