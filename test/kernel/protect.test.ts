import { closeSync, openSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Access, mappings, mmap } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { addressOf, areasIn } from '../helpers/smaps.js';

const folder = tempDir();

/** The permissions of each of the mapping's areas, with how many pages it has. */
const areas = (address: number, length: number): string[] =>
  areasIn(address, length).map(({ start, end, permissions }) => {
    const pages = (Math.min(end, address + length) - Math.max(start, address)) / PAGE;
    return `${permissions} ${pages}`;
  });

test('the whole mapping becomes read-only and writable again, in the kernel’s eyes too', () => {
  using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: pagesOf(folder, 4) });
  const address = addressOf(mapping);
  mapping.protect('read');
  expect(mapping.access).toBe('read');
  expect(areas(address, 4 * PAGE)).toEqual(['r--s 4']);
  expect(mappings().find(({ length }) => length === 4 * PAGE)?.access).toBe('read');
  expect(() => mapping.write(Buffer.from('x'))).toThrow(expect.objectContaining({ code: 'EACCES' }));
  mapping.protect('readwrite');
  expect(mapping.access).toBe('readwrite');
  expect(areas(address, 4 * PAGE)).toEqual(['rw-s 4']);
  expect(mapping.write(Buffer.from('x'))).toBe(1);
});

test('a part is every page that the range touches, and leaves `access` as it is', () => {
  using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: pagesOf(folder, 6) });
  const address = addressOf(mapping);
  mapping.protect('read', { offset: 2 * PAGE - 1, length: 2 });
  expect(areas(address, 6 * PAGE)).toEqual(['rw-s 1', 'r--s 2', 'rw-s 3']);
  expect(mapping.access).toBe('readwrite');
  mapping.protect('readwrite', { offset: PAGE, length: 2 * PAGE });
  expect(areas(address, 6 * PAGE)).toEqual(['rw-s 6']);
});

test('write() into a part that may only be read copies what it can, and is EFAULT where that is nothing', () => {
  using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 3 * PAGE });
  mapping.protect('read', { offset: PAGE, length: PAGE });
  expect(mapping.write(Buffer.alloc(2 * PAGE, 1), { offset: 0 })).toBe(PAGE);
  expect(() => mapping.write(Buffer.alloc(1), { offset: PAGE })).toThrow(
    expect.objectContaining({ code: 'EFAULT', syscall: 'process_vm_writev', errno: -14 }),
  );
  expect(mapping.bytes[PAGE]).toBe(0);
});

test('a shared mapping of a file that was opened for reading cannot become writable', () => {
  const file = pagesOf(folder, 2);
  using mapping = mmap({ backing: 'file', sharing: 'shared', file });
  expect(() => mapping.protect('readwrite')).toThrow(expect.objectContaining({ code: 'EACCES', syscall: 'mprotect' }));
  expect(mapping.access).toBe('read');
  expect(areas(addressOf(mapping), 2 * PAGE)).toEqual(['r--s 2']);
});

test('a private mapping of a file that was opened for reading can', () => {
  const fd = openSync(pagesOf(folder, 2), 'r');
  using mapping = mmap({ backing: 'file', sharing: 'private', file: fd });
  closeSync(fd);
  mapping.protect('readwrite');
  expect(areas(addressOf(mapping), 2 * PAGE)).toEqual(['rw-p 2']);
  mapping.bytes.write('own');
  expect(mapping.text({ length: 4 })).toBe('owna');
});

test('nothing is ever executable, and no other access exists', () => {
  using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: PAGE });
  for (const wrong of ['exec', 'none', 'write', 'rwx', '', 7, undefined, null])
    expect(() => mapping.protect(wrong as Access)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
});

test('an empty range protects nothing, and one outside is refused', () => {
  using mapping = mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file: pagesOf(folder, 2) });
  mapping.protect('read', { offset: PAGE, length: 0 });
  expect(areas(addressOf(mapping), 2 * PAGE)).toEqual(['rw-p 2']);
  expect(() => mapping.protect('read', { offset: 1, length: 2 * PAGE })).toThrow(
    expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }),
  );
});
