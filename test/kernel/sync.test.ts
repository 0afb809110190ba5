import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Mapping, mmap } from '../../lib/index.js';
import { hasDisk, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { lacks, noStrace } from '../helpers/skip.js';
import { addressOf, smaps } from '../helpers/smaps.js';
import { strace } from '../helpers/strace.js';

const folder = tempDir();
const noDisk = lacks(hasDisk(folder), 'the temporary folder is a tmpfs, whose pages are written nowhere');

const map = (pages: number): { file: string; mapping: Mapping } => {
  const file = pagesOf(folder, pages);
  return { file, mapping: mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file }) };
};

const dirty = (mapping: Mapping): number => {
  const area = smaps(addressOf(mapping));
  return area.bytes('Private_Dirty') + area.bytes('Shared_Dirty');
};

test.skipIf(noDisk).each(['sync', 'syncSync'] as const)('%s() brings dirty pages to the disk', async (form) => {
  const { mapping } = map(4);
  await mapping.sync();
  mapping.bytes.write('DURABLE');
  mapping.bytes.write('DURABLE', 3 * PAGE);
  expect(dirty(mapping)).toBeGreaterThanOrEqual(2 * PAGE);
  await mapping[form]();
  expect(dirty(mapping)).toBe(0);
  mapping.unmapSync();
});

test.skipIf(noDisk)('sync() of a range brings that page to the disk', async () => {
  const { mapping } = map(3);
  await mapping.sync();
  mapping.bytes.write('DURABLE', 2 * PAGE);
  await mapping.sync({ offset: 2 * PAGE + 5, length: 1 });
  expect(dirty(mapping)).toBe(0);
  mapping.unmapSync();
});

test('without any sync every reader of the file sees the change', () => {
  const { file, mapping } = map(1);
  mapping.bytes.write('SEEN');
  expect(readFileSync(file, 'latin1').slice(0, 5)).toBe('SEENa');
  mapping.unmapSync();
});

test('invalidate on locked pages is EBUSY, as a promise and at once', async () => {
  const { mapping } = map(1);
  mapping.lockSync();
  const busy: unknown = expect.objectContaining({ code: 'EBUSY', syscall: 'msync', errno: -16 });
  await expect(mapping.sync({ invalidate: true })).rejects.toEqual(busy);
  expect(() => mapping.syncSync({ invalidate: true })).toThrow(busy);
  mapping.unlock();
  await mapping.sync({ invalidate: true });
  mapping.unmapSync();
});

test('a range outside of the mapping is refused before the call, also as a promise', async () => {
  const { mapping } = map(1);
  const outside: unknown = expect.objectContaining({ name: 'RangeError', code: 'ERR_OUT_OF_RANGE' });
  await expect(mapping.sync({ offset: PAGE, length: 1 })).rejects.toEqual(outside);
  await expect(mapping.sync({ offset: PAGE + 1 })).rejects.toEqual(outside);
  expect(() => mapping.syncSync({ length: PAGE + 1 })).toThrow(outside);
  mapping.unmapSync();
  await expect(mapping.sync()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
});

test.skipIf(noStrace())('msync(2) gets MS_SYNC, whole pages, and MS_INVALIDATE if asked', () => {
  const file = pagesOf(folder, 8);
  const calls = strace(
    `const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: given });
     mapping.syncSync();
     mapping.syncSync({ offset: 4095, length: 2 });
     mapping.syncSync({ offset: 4096, length: 0 });
     await mapping.sync({ offset: 5 * 4096 + 1, invalidate: true })`,
    'msync',
    { given: file },
  );
  expect(calls.map((call) => call.replace(/0x[\da-f]+/, '*'))).toEqual([
    `msync(*, ${8 * PAGE}, MS_SYNC) = 0`,
    `msync(*, ${2 * PAGE}, MS_SYNC) = 0`,
    `msync(*, ${3 * PAGE}, MS_SYNC|MS_INVALIDATE) = 0`,
  ]);
});
