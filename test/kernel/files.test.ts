import { spawnSync } from 'node:child_process';
import { chmodSync, closeSync, mkdirSync, openSync, readFileSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, test } from 'vitest';
import { type FileMappingOptions, type MappableFile, mmap } from '../../lib/index.js';
import { type Failed, runChild } from '../helpers/children.js';
import { descriptorsOf, PAGE, pagesOf, tempDir, tempFile } from '../helpers/files.js';
import { notRoot } from '../helpers/skip.js';
import { areasOf } from '../helpers/smaps.js';

const folder = tempDir();
const FORMS = [
  { sharing: 'private', access: 'read' },
  { sharing: 'private', access: 'readwrite' },
  { sharing: 'shared', access: 'read' },
  { sharing: 'shared', access: 'readwrite' },
] as const;

const start = (file: MappableFile, options: Partial<FileMappingOptions> = {}): string => {
  using mapping = mmap({ backing: 'file', sharing: 'private', file, length: 4, ...options });
  return mapping.text();
};

const refusal = (file: MappableFile, options: Partial<FileMappingOptions> = {}): unknown => {
  try {
    mmap({ backing: 'file', sharing: 'private', file, ...options }).unmapSync();
  } catch (error) {
    return error;
  }
  return 'mapped';
};

test.each(FORMS)('nothing is left open, and nothing mapped, after unmap: $sharing $access', (form) => {
  const file = pagesOf(folder, 3);
  const mapping = mmap({ backing: 'file', file, ...form });
  expect(areasOf(file)).toHaveLength(1);
  mapping.unmapSync();
  expect(areasOf(file)).toEqual([]);
  expect(descriptorsOf(file)).toEqual([]);
});

test('a path: string, Buffer, file: URL, relative, through a symbolic link, and not in UTF-8', () => {
  const file = pagesOf(folder, 1);
  const link = join(folder, 'link');
  symlinkSync(file, link);
  for (const path of [file, Buffer.from(file), new TextEncoder().encode(file), pathToFileURL(file), link])
    expect(start(path)).toBe('aaaa');
  const odd = Buffer.concat([Buffer.from(`${folder}/`), Buffer.from([0xff, 0xfe, 0x20])]);
  closeSync(openSync(odd, 'w'));
  using empty = mmap({ backing: 'file', sharing: 'private', file: odd });
  expect(empty.length).toBe(0);
});

test('a path with blanks, percent signs, quotes and more than ASCII is that path', () => {
  const directory = join(folder, 'ä b%20\'"');
  mkdirSync(directory);
  const file = tempFile(directory, 'there');
  expect(start(file)).toBe('ther');
  expect(start(pathToFileURL(file))).toBe('ther');
});

test('a descriptor is left open, and may be closed at once', () => {
  const file = pagesOf(folder, 2);
  const fd = openSync(file, 'r');
  const mapping = mmap({ backing: 'file', sharing: 'private', file: fd });
  expect(readFileSync(fd, 'latin1')).toHaveLength(2 * PAGE);
  closeSync(fd);
  expect(mapping.text({ offset: PAGE, length: 2 })).toBe('bb');
  mapping.unmapSync();
  expect(descriptorsOf(file)).toEqual([]);
});

test('a descriptor outlives the mapping, also a refused one', () => {
  const file = pagesOf(folder, 1);
  const fd = openSync(file, 'r');
  mmap({ backing: 'file', sharing: 'private', file: fd }).unmapSync();
  expect(refusal(fd, { offset: 2 * PAGE })).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(refusal(fd, { sharing: 'shared', access: 'readwrite' })).toMatchObject({ code: 'EACCES', syscall: 'mmap' });
  expect(descriptorsOf(file)).toEqual([fd]);
  expect(readFileSync(fd, 'latin1')).toHaveLength(PAGE);
  closeSync(fd);
});

test('a FileHandle is left open, and may be closed at once', async () => {
  const file = pagesOf(folder, 1);
  const handle = await open(file, 'r+');
  using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: handle });
  mapping.bytes.write('HANDLE');
  const { bytesRead } = await handle.read(Buffer.alloc(6), 0, 6, 0);
  expect(bytesRead).toBe(6);
  await handle.close();
  expect(mapping.text({ length: 6 })).toBe('HANDLE');
  expect(refusal(handle)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
});

test.each(['private', 'shared'] as const)('a %s mapping outlives its file’s name', (sharing) => {
  const file = pagesOf(folder, 2);
  using mapping = mmap({ backing: 'file', sharing, access: 'readwrite', file });
  rmSync(file);
  expect(mapping.text({ offset: PAGE, length: 3 })).toBe('bbb');
  mapping.bytes.write('still', PAGE);
  expect(mapping.text({ offset: PAGE, length: 5 })).toBe('still');
});

test('a descriptor that is not open is EBADF', () => {
  expect(refusal(2 ** 20 - 1)).toMatchObject({ code: 'EBADF', syscall: 'fstat', errno: -9 });
});

test.each([
  ['a file that is missing', '/nowhere', 'ENOENT', 'open'],
  ['a path through a file', '/etc/passwd/x', 'ENOTDIR', 'open'],
  ['a name that is too long', `/${'x'.repeat(256)}`, 'ENAMETOOLONG', 'open'],
  ['a directory, private', '/etc', 'ENODEV', 'mmap'],
  ['a file of /proc', '/proc/self/status', 'ENODEV', 'mmap'],
  ['/dev/null', '/dev/null', 'ENODEV', 'mmap'],
])('%s: %s is %s of %s', (_name, path, code, syscall) => {
  const before = descriptorsOf(path);
  expect(refusal(path)).toMatchObject({ code, syscall, path });
  expect(String(refusal(path))).toContain(`${code}: `);
  expect(descriptorsOf(path)).toEqual(before);
});

test('a length does not make a file of /proc, a directory or /dev/null mappable', () => {
  for (const path of ['/proc/self/status', '/etc', '/dev/null'])
    expect(refusal(path, { length: PAGE })).toMatchObject({ code: 'ENODEV', syscall: 'mmap', path });
});

test('a directory for writing is EISDIR', () => {
  expect(refusal(folder, { sharing: 'shared', access: 'readwrite' })).toMatchObject({ code: 'EISDIR', path: folder });
});

test('a FIFO without a writer is refused, and not waited for', () => {
  const fifo = join(folder, 'fifo');
  expect(spawnSync('mkfifo', [fifo]).status).toBe(0);
  for (const options of [{}, { length: PAGE }, { sharing: 'shared', access: 'readwrite' }] as const)
    expect(refusal(fifo, options)).toMatchObject({ code: 'ENODEV', syscall: 'mmap', path: fifo });
  expect(descriptorsOf(fifo)).toEqual([]);
});

test('a socket has nothing that could be opened', async () => {
  const { createServer } = await import('node:net');
  const path = join(folder, 'socket');
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(path, resolve));
  try {
    expect(refusal(path)).toMatchObject({ code: 'ENXIO', syscall: 'open' });
  } finally {
    server.close();
  }
});

test('a loop of symbolic links is ELOOP', () => {
  const loop = join(folder, 'loop');
  symlinkSync(loop, loop);
  expect(refusal(loop)).toMatchObject({ code: 'ELOOP', path: loop });
});

test('/dev/zero is anonymous memory the classic way', () => {
  const file = '/dev/zero';
  using own = mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file, length: 2 * PAGE });
  expect(own.bytes.every((byte) => byte === 0)).toBe(true);
  own.bytes.fill(1);
  using other = mmap({ backing: 'file', sharing: 'private', file, length: 2 * PAGE });
  expect(other.bytes.every((byte) => byte === 0)).toBe(true);
  expect(areasOf('/dev/zero').length).toBeGreaterThanOrEqual(1);
});

test('a device without a size must be told the length', () => {
  expect(refusal('/dev/zero')).toMatchObject({ code: 'ERR_MISSING_OPTION' });
  expect(String(refusal('/dev/zero'))).toContain('options.length');
});

test.skipIf(notRoot())('what another user may not open is EACCES, and what it may only read it cannot share', () => {
  chmodSync(folder, 0o755);
  const secret = pagesOf(folder, 1);
  const readable = pagesOf(folder, 1);
  chmodSync(secret, 0o600);
  chmodSync(readable, 0o644);
  const answers = runChild(
    `become(65534);
     const file = (path, more) => attempt(() => mmap({ backing: 'file', file: path, ...more }).text({ length: 2 }));
     answer([
       file(given.secret, { sharing: 'private' }),
       file(given.readable, { sharing: 'shared', access: 'readwrite' }),
       file(given.readable, { sharing: 'private', access: 'readwrite' }),
       file(given.readable, { sharing: 'shared' }),
     ]);`,
    { given: { secret, readable } },
  ) as Failed[];
  expect(answers).toEqual([
    { error: expect.objectContaining({ code: 'EACCES', syscall: 'open', path: secret, errno: -13 }) as unknown },
    { error: expect.objectContaining({ code: 'EACCES', syscall: 'open', path: readable }) as unknown },
    'aa',
    'aa',
  ]);
});

test('a descriptor for writing only cannot be mapped: every mapping is read', () => {
  const fd = openSync(tempFile(folder, 'x'), 'w');
  expect(refusal(fd, { length: 0 })).toMatchObject({ code: 'EACCES', syscall: 'mmap' });
  closeSync(fd);
});

test('mapping does not change the file: not its length, not when it was modified', () => {
  const file = pagesOf(folder, 1);
  const { size, mtimeMs, ino } = statSync(file);
  mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file }).unmapSync();
  expect(statSync(file)).toMatchObject({ size, mtimeMs, ino });
});
