import { describe, expect, test } from 'vitest';
import { type Mapping, mappings, mmap } from '../../lib/index.js';
import { descriptorsOf, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { occupyThreadPool } from '../helpers/pool.js';
import { areasOf } from '../helpers/smaps.js';

const folder = tempDir();
const map = (pages = 4): { file: string; mapping: Mapping } => {
  const file = pagesOf(folder, pages);
  return { file, mapping: mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file }) };
};
const INVALID_STATE: unknown = expect.objectContaining({ code: 'ERR_INVALID_STATE' });

describe.each<[string, (mapping: Mapping) => unknown]>([
  ['unmap()', async (mapping) => mapping.unmap()],
  ['unmapSync()', (mapping) => mapping.unmapSync()],
  ['Symbol.dispose', (mapping) => mapping[Symbol.dispose]()],
  ['Symbol.asyncDispose', async (mapping) => mapping[Symbol.asyncDispose]()],
])('%s', (_name, end) => {
  test('gives the file back, once, and is final at once', async () => {
    const { file, mapping } = map();
    const { bytes, buffer } = mapping;
    const view = mapping.view(Float64Array, 8, 8);
    const done = end(mapping);
    expect(mapping).toMatchObject({ unmapped: true, length: 0 });
    expect([bytes.length, buffer.byteLength, view.length]).toEqual([0, 0, 0]);
    await done;
    expect(areasOf(file)).toEqual([]);
    expect(descriptorsOf(file)).toEqual([]);
    await end(mapping);
    await mapping.unmap();
    mapping.unmapSync();
  });

  test('a second time does not unmap what came to lie there since', async () => {
    const { mapping } = map();
    await end(mapping);
    const others = Array.from({ length: 20 }, () => map());
    await end(mapping);
    for (const other of others) expect(other.mapping.text({ length: 2 })).toBe('aa');
    for (const other of others) other.mapping.unmapSync();
  });

  test('large memory goes the same way', async () => {
    const { file, mapping } = map(300);
    await end(mapping);
    expect(areasOf(file)).toEqual([]);
  });
});

test('using and await using end a mapping, also where the block throws', async () => {
  const { file } = map();
  const block = async (): Promise<void> => {
    using first = mmap({ backing: 'file', sharing: 'private', file });
    await using second = mmap({ backing: 'file', sharing: 'private', file });
    expect(first.length + second.length).toBe(8 * PAGE);
    throw new Error('in the block');
  };
  const before = mappings().length;
  await expect(block()).rejects.toThrow('in the block');
  expect(mappings()).toHaveLength(before);
});

test('after it every method is ERR_INVALID_STATE, and the promise forms reject', async () => {
  const { mapping } = map();
  mapping.unmapSync();
  const buffer = Buffer.alloc(0);
  const calls: (() => unknown)[] = [
    () => mapping.buffer,
    () => mapping.bytes,
    () => mapping.sharedBuffer,
    () => mapping.view(Uint8Array),
    () => mapping.sharedView(Uint8Array),
    () => mapping.read(buffer),
    () => mapping.write(buffer),
    () => mapping.text(),
    () => mapping.syncSync(),
    () => mapping.advise('normal'),
    () => mapping.protect('read'),
    () => mapping.lockSync(),
    () => mapping.unlock(),
    () => mapping.residencySync(),
    () => mapping.populateSync(),
    () => mapping.resize(1),
    () => mapping.handle(),
  ];
  for (const call of calls) expect(call).toThrow(INVALID_STATE);
  const promises = [
    async () => mapping.sync(),
    async () => mapping.lock(),
    async () => mapping.residency(),
    async () => mapping.populate(),
  ];
  for (const promise of promises) await expect(promise()).rejects.toEqual(INVALID_STATE);
});

test('wrong arguments are told even then, before the state', () => {
  const { mapping } = map();
  mapping.unmapSync();
  expect(() => mapping.protect('x' as 'read')).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  expect(() => mapping.read(1 as unknown as Buffer)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
});

test('operations in flight end well, and the file is held until they have', async () => {
  const { file, mapping } = map();
  mapping.bytes.write('in flight');
  const release = occupyThreadPool(folder);
  const operations = [mapping.sync(), mapping.populate(), mapping.residency(), mapping.lock()];
  const done = mapping.unmap();
  expect(areasOf(file)).toHaveLength(1);
  await release();
  await Promise.all([...operations, done]);
  expect(areasOf(file)).toEqual([]);
});
