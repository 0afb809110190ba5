import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { attach, type Mapping, type MappingHandle, mappings, mmap } from '../../lib/index.js';
import { Child, type Failed, runChild } from '../helpers/children.js';
import { descriptorsOf, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { compile, withoutPreload } from '../helpers/seals.js';
import { noCompiler, notRoot } from '../helpers/skip.js';

const folder = tempDir();
let live: Mapping | undefined;
let child: Child | undefined;
afterEach(async () => {
  live?.unmapSync();
  await child?.end();
});

const STRANGER = 'f'.repeat(32);

const owner = async (): Promise<{ other: Child; handle: MappingHandle & { kind: 'memfd' } }> => {
  child = new Child(`
    map(options) { mapping = mmap(options); mapping.bytes.write('owner'); return mapping.handle(); },
    unmap() { mapping.unmapSync(); },
    become(id) { become(id); },
  `);
  const handle = (await child.ask('map', {
    backing: 'anonymous',
    sharing: 'shared',
    length: PAGE,
  })) as MappingHandle & { kind: 'memfd' };
  return { other: child, handle };
};

/** The code that attach() fails with, and what it has left behind. */
const outcome = (handle: MappingHandle): unknown => {
  const before = mappings().length;
  let code: unknown;
  try {
    attach(handle);
  } catch (error) {
    ({ code } = error as { code?: unknown });
  }
  return { code, mappings: mappings().length - before, descriptors: descriptorsOf(`/memfd:${handle.name}`) };
};

const refused = (code: string): unknown => ({ code, mappings: 0, descriptors: [] });

test('an owner that lives is joined', async () => {
  const { handle } = await owner();
  using joined = attach(handle);
  expect(joined.text({ length: 5 })).toBe('owner');
});

test('an owner that has ended is ERR_OWNER_GONE', async () => {
  const { other, handle } = await owner();
  await other.end();
  expect(outcome(handle)).toEqual(refused('ERR_OWNER_GONE'));
});

test('an owner that has unmapped is ERR_OWNER_GONE', async () => {
  const { other, handle } = await owner();
  await other.ask('unmap');
  expect(outcome(handle)).toEqual(refused('ERR_OWNER_GONE'));
});

test('a descriptor that is something else by now is ERR_STALE_HANDLE', async () => {
  const { other, handle } = await owner();
  expect(outcome({ ...handle, name: STRANGER })).toEqual(refused('ERR_STALE_HANDLE'));
  expect(outcome({ ...handle, name: STRANGER, fd: 0 })).toEqual(refused('ERR_STALE_HANDLE'));
  await other.ask('unmap');
  await other.ask('map', { backing: 'anonymous', sharing: 'shared', length: 2 * PAGE });
  expect(outcome(handle)).toEqual(refused('ERR_STALE_HANDLE'));
});

test('more than the memory has is ERR_OUT_OF_RANGE', async () => {
  const { handle } = await owner();
  expect(outcome({ ...handle, length: PAGE + 1 })).toEqual(refused('ERR_OUT_OF_RANGE'));
  expect(outcome({ ...handle, length: 2 ** 53 - 1 })).toEqual(refused('ERR_OUT_OF_RANGE'));
});

test.skipIf(noCompiler())('a memfd that is not sealed is refused: its owner could cut it away', async () => {
  const program = compile(
    folder,
    `#define _GNU_SOURCE
     #include <stdio.h>
     #include <sys/mman.h>
     #include <unistd.h>
     int main(void) {
       int fd = memfd_create("${STRANGER}", MFD_ALLOW_SEALING);
       if (ftruncate(fd, ${PAGE}) != 0) return 1;
       printf("%d\\n", fd);
       fflush(stdout);
       return getchar() == EOF ? 0 : 1;
     }`,
  );
  const unsealed = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'], env: withoutPreload });
  const [fd] = (await once(unsealed.stdout, 'data')) as [Buffer];
  const handle = { v: 1, kind: 'memfd', name: STRANGER, access: 'readwrite', length: PAGE } as const;
  expect(outcome({ ...handle, pid: unsealed.pid ?? 0, fd: Number(fd) })).toEqual(refused('EPERM'));
  unsealed.stdin.end();
  await once(unsealed, 'exit');
});

test.skipIf(notRoot())('the memory of another user is ERR_ATTACH_DENIED, and says what to do', async () => {
  live = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE });
  const { error } = runChild('become(65534); answer(attempt(() => attach(given).length))', {
    given: { ...live.handle(), access: 'read' },
  }) as Failed;
  expect(error.code).toBe('ERR_ATTACH_DENIED');
  expect(error.message).toContain('inheritedFd');
});

test.skipIf(notRoot())('the memory of another user is ERR_ATTACH_DENIED for writing too', async () => {
  live = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE });
  const { error } = runChild('become(65534); answer(attempt(() => attach(given).length))', {
    given: live.handle(),
  }) as Failed;
  expect(error.code).toBe('ERR_ATTACH_DENIED');
});

test('memory without a descriptor cannot be joined from outside: ERR_INVALID_STATE', () => {
  for (const options of [
    { backing: 'anonymous', sharing: 'private', length: PAGE },
    { backing: 'anonymous', sharing: 'shared', joinable: false, length: PAGE },
  ] as const) {
    using memory = mmap(options);
    const { error } = runChild('answer(attempt(() => attach(given).length))', { given: memory.handle() }) as Failed;
    expect(error.code).toBe('ERR_INVALID_STATE');
    expect(error.message).toContain('worker');
  }
});

test('memory of this process that is unmapped is ERR_OWNER_GONE', () => {
  for (const options of [
    { backing: 'anonymous', sharing: 'private', length: PAGE },
    { backing: 'anonymous', sharing: 'shared', length: PAGE },
  ] as const) {
    const memory = mmap(options);
    const handle = memory.handle();
    memory.unmapSync();
    expect(outcome(handle)).toEqual(refused('ERR_OWNER_GONE'));
  }
});

test('a file that was replaced is ERR_STALE_HANDLE, one that is missing ENOENT', () => {
  const file = pagesOf(folder, 1);
  live = mmap({ backing: 'file', sharing: 'shared', file });
  const handle = { ...live.handle(), name: STRANGER };
  const content = readFileSync(file);
  renameSync(file, `${file}.old`);
  expect(outcome(handle)).toEqual(refused('ENOENT'));
  writeFileSync(file, content);
  expect(outcome(handle)).toEqual(refused('ERR_STALE_HANDLE'));
  rmSync(file);
  renameSync(`${file}.old`, file);
  attach(handle).unmapSync();
});

test('a file that became too short is ERR_OUT_OF_RANGE', () => {
  const file = pagesOf(folder, 2);
  live = mmap({ backing: 'file', sharing: 'shared', file });
  expect(outcome({ ...live.handle(), name: STRANGER, length: 3 * PAGE })).toEqual(refused('ERR_OUT_OF_RANGE'));
});

test('a file without a name is found by its path in the kernel, and not at all once that is gone', () => {
  const file = pagesOf(folder, 1);
  chmodSync(file, 0o644);
  live = mmap({ backing: 'file', sharing: 'shared', file: Buffer.from(file) });
  expect(live.handle()).toMatchObject({ kind: 'file', path: file });
  rmSync(file);
  expect(live.handle().kind).toBe('process');
});
