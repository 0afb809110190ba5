import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { type Mapping, mmap, type MmapOptions } from '../../lib/index.js';
import { Child, runChild } from '../helpers/children.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { addressOf, areasOf, smaps } from '../helpers/smaps.js';

const folder = tempDir();
let live: Mapping | undefined;
afterEach(() => live?.unmapSync());

const map = (options: MmapOptions): { mapping: Mapping; address: number } => {
  const mapping = mmap(options);
  live = mapping;
  return { mapping, address: addressOf(mapping) };
};

/** What another process finds in a file, mapped and read. */
const elsewhere = (file: string): unknown =>
  runChild(
    `using(mmap({ backing: 'file', sharing: 'shared', file: given }));
     function using(m) { answer({ mapped: m.text({ length: 5 }), read: fs.readFileSync(given, 'latin1').slice(0, 5) }); }`,
    { given: file },
  );

describe('private file: changes stay in this process', () => {
  test('the file’s own pages are seen until they are written to, and then copies of them', () => {
    const file = pagesOf(folder, 4);
    const { mapping, address } = map({ backing: 'file', sharing: 'private', access: 'readwrite', file });
    expect(mapping.text({ length: 3 })).toBe('aaa');
    const before = smaps(address);
    expect(before).toMatchObject({ permissions: 'rw-p', path: file, inode: statSync(file).ino });
    expect(before.flags).toEqual(expect.arrayContaining(['rd', 'wr']));
    expect(before.flags).not.toContain('sh');
    expect(before.bytes('Anonymous')).toBe(0);

    mapping.bytes.write('HELLO', 0);
    mapping.bytes.write('WORLD', 2 * PAGE);
    const after = smaps(address);
    expect(after.bytes('Anonymous')).toBe(2 * PAGE);
    expect(after.bytes('Private_Dirty')).toBeGreaterThanOrEqual(2 * PAGE);
    expect(mapping.text({ length: 5 })).toBe('HELLO');
    expect(elsewhere(file)).toEqual({ mapped: 'aaaaa', read: 'aaaaa' });
  });

  test('not even sync() brings them to the file', async () => {
    const file = pagesOf(folder, 1);
    const { mapping } = map({ backing: 'file', sharing: 'private', access: 'readwrite', file });
    mapping.bytes.write('HELLO');
    await mapping.sync();
    mapping.syncSync({ invalidate: true });
    mapping.unmapSync();
    expect(readFileSync(file, 'latin1')).toBe('a'.repeat(PAGE));
  });

  test('a file that may only be read can be mapped for private writing', () => {
    const file = pagesOf(folder, 1);
    const { mapping, address } = map({ backing: 'file', sharing: 'private', file });
    expect(smaps(address).permissions).toBe('r--p');
    expect(mapping.access).toBe('read');
  });
});

describe('shared file: changes reach the file and everybody', () => {
  test('without a sync, and the kernel calls it shared', () => {
    const file = pagesOf(folder, 4);
    const { mapping, address } = map({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    expect(smaps(address)).toMatchObject({ permissions: 'rw-s', path: file });
    expect(smaps(address).flags).toEqual(expect.arrayContaining(['rd', 'wr', 'sh', 'ms']));
    mapping.bytes.write('HELLO');
    expect(smaps(address).bytes('Anonymous')).toBe(0);
    expect(smaps(address).bytes('Private_Dirty') + smaps(address).bytes('Shared_Dirty')).toBeGreaterThanOrEqual(PAGE);
    expect(elsewhere(file)).toEqual({ mapped: 'HELLO', read: 'HELLO' });
    expect(readFileSync(file, 'latin1').slice(0, 6)).toBe('HELLOa');
  });

  test('what another process writes is seen here at once', () => {
    const file = pagesOf(folder, 2);
    const { mapping } = map({ backing: 'file', sharing: 'shared', file });
    runChild(
      `mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: given }).bytes.write('CHILD'); answer(1)`,
      { given: file },
    );
    expect(mapping.text({ length: 5 })).toBe('CHILD');
  });

  test('for reading, the kernel does not let it be written', () => {
    const file = pagesOf(folder, 1);
    const { address } = map({ backing: 'file', sharing: 'shared', file });
    expect(smaps(address).permissions).toBe('r--s');
    expect(smaps(address).flags).not.toContain('wr');
    expect(smaps(address).flags).not.toContain('mw');
  });
});

describe('private anonymous: zero-filled memory', () => {
  test('it is zeros, costs nothing before its first touch, and belongs to no file', () => {
    const length = 64 * PAGE;
    // its own flags keep the kernel from merging it with its neighbours
    const { mapping, address } = map({ backing: 'anonymous', sharing: 'private', length, advice: 'dontdump' });
    expect(smaps(address)).toMatchObject({ permissions: 'rw-p', inode: 0, end: address + length });
    expect(smaps(address).bytes('Rss')).toBe(0);
    expect(mapping.bytes.every((byte) => byte === 0)).toBe(true);
    mapping.bytes.fill(1, 0, 3 * PAGE);
    expect(smaps(address).bytes('Anonymous')).toBe(3 * PAGE);
    expect(smaps(address).bytes('Private_Dirty')).toBe(3 * PAGE);
    expect(smaps(address).flags).not.toContain('sh');
  });

  test('two of them have nothing in common', () => {
    using first = mmap({ backing: 'anonymous', sharing: 'private', length: PAGE });
    using second = mmap({ backing: 'anonymous', sharing: 'private', length: PAGE });
    first.bytes.fill(1);
    expect(second.bytes.every((byte) => byte === 0)).toBe(true);
  });
});

describe('shared anonymous: memory with others', () => {
  test('it is a memfd, zero-filled, that another process can join', async () => {
    const { mapping, address } = map({ backing: 'anonymous', sharing: 'shared', length: 3 * PAGE });
    expect(smaps(address)).toMatchObject({ permissions: 'rw-s' });
    expect(smaps(address).path).toMatch(/^\/memfd:[\da-f]{32} \(deleted\)$/);
    expect(smaps(address).flags).toContain('sh');
    expect(mapping.bytes.every((byte) => byte === 0)).toBe(true);
    mapping.bytes.write('parent');

    const child = new Child(`
      attach(handle) { mapping = attach(handle); return mapping.text({ length: 6 }); },
      write(text) { mapping.bytes.write(text, 4096); },
    `);
    try {
      expect(await child.ask('attach', mapping.handle())).toBe('parent');
      await child.ask('write', 'child');
      expect(mapping.text({ offset: PAGE, length: 5 })).toBe('child');
    } finally {
      await child.end();
    }
    expect(mapping.text({ offset: PAGE, length: 5 })).toBe('child');
  });

  test('joinable: false is MAP_SHARED | MAP_ANONYMOUS itself, which has no descriptor', () => {
    const { address } = map({ backing: 'anonymous', sharing: 'shared', joinable: false, length: PAGE });
    expect(smaps(address)).toMatchObject({ permissions: 'rw-s', path: '/dev/zero (deleted)' });
    expect(live?.handle().kind).toBe('process');
  });
});

test('two mappings of one file see each other exactly as their sharing says', () => {
  const file = pagesOf(folder, 1);
  using writer = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
  using shared = mmap({ backing: 'file', sharing: 'shared', file });
  using copy = mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file });
  copy.bytes.write('copy');
  writer.bytes.write('real');
  expect([shared.text({ length: 4 }), copy.text({ length: 4 })]).toEqual(['real', 'copy']);
});

test('access: read of anonymous memory is mapped without PROT_WRITE, and reads as zeros', () => {
  const { mapping, address } = map({ backing: 'anonymous', sharing: 'private', access: 'read', length: PAGE });
  expect(smaps(address).permissions).toBe('r--p');
  expect(mapping.bytes[0]).toBe(0);
});

test('after unmap the kernel has nothing of it left', () => {
  const file = pagesOf(folder, 2);
  mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file }).unmapSync();
  expect(areasOf(file)).toEqual([]);
  const memfd = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE });
  const { fd } = memfd.handle() as { fd: number };
  const link = readlinkSync(`/proc/self/fd/${fd}`);
  expect(areasOf(link)).toHaveLength(1);
  memfd.unmapSync();
  expect(areasOf(link)).toEqual([]);
});
