import { closeSync, fstatSync, openSync, readlinkSync, truncateSync, writeSync } from 'node:fs';
import { afterEach, describe, expect, test } from 'vitest';
import { attach, type Mapping, mappings, mmap } from '../../lib/index.js';
import { Child, type Failed, runChild } from '../helpers/children.js';
import { descriptorsOf, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { openFlags, sealsOf } from '../helpers/seals.js';
import { noCompiler, notRoot } from '../helpers/skip.js';
import { addressOf, areasOf, smaps } from '../helpers/smaps.js';

const folder = tempDir();
let live: Mapping | undefined;
afterEach(() => live?.unmapSync());

const shared = (options: { peers?: 'readonly' | 'readwrite'; length?: number; access?: 'read' } = {}) => {
  const made = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE, ...options });
  live = made;
  const handle = made.handle();
  if (handle.kind !== 'memfd') throw new Error(`is a ${handle.kind}`);
  return { mapping: made, handle, fd: handle.fd, path: `/proc/self/fd/${handle.fd}` };
};

const code = (body: () => unknown): unknown => {
  try {
    body();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'allowed';
};

/** The seals of new shared memory. exec is that of MFD_NOEXEC_SEAL, which older kernels do not have. */
const sealed = (options?: { peers: 'readonly' }): string[] =>
  sealsOf(shared(options).fd, folder).filter((name) => name !== 'exec');

/** What becomes of a write(2) through another opening of the memory. */
const writeTo = (path: string): unknown => {
  const fd = openSync(path, 'r+');
  const result = code(() => writeSync(fd, 'peer', 0));
  closeSync(fd);
  return result;
};

describe('the descriptor of shared memory', () => {
  const O_CLOEXEC = 0o2000000;

  test('is close-on-exec, mode 0600, not executable, and as long as asked', () => {
    const { fd } = shared({ length: 5000 });
    expect(openFlags(fd) & O_CLOEXEC).toBe(O_CLOEXEC);
    const { mode, size, nlink } = fstatSync(fd);
    expect(mode & 0o7777).toBe(0o600);
    expect(size).toBe(5000);
    expect(nlink).toBe(0);
  });

  test('bears the name that is in the handle, which nobody can guess', () => {
    const { handle, path } = shared();
    expect(handle.name).toMatch(/^[\da-f]{32}$/);
    expect(readlinkSync(path)).toBe(`/memfd:${handle.name} (deleted)`);
    const first = handle.name;
    live?.unmapSync();
    expect(shared().handle.name).not.toBe(first);
  });

  test('is not inherited by a child', () => {
    const { handle } = shared();
    const links = runChild(
      `answer(fs.readdirSync('/proc/self/fd').map((fd) => String(attempt(() => fs.readlinkSync('/proc/self/fd/' + fd)))))`,
    ) as string[];
    expect(links.filter((link) => link.includes(handle.name))).toEqual([]);
  });

  test('is closed with the mapping', () => {
    const { handle } = shared();
    expect(descriptorsOf(`/memfd:${handle.name}`)).toHaveLength(1);
    live?.unmapSync();
    expect(descriptorsOf(`/memfd:${handle.name}`)).toEqual([]);
    expect(areasOf(`/memfd:${handle.name}`)).toEqual([]);
  });

  test('is the mapping’s fd, of the memory that is at its address', () => {
    const { mapping, fd } = shared();
    expect(mapping.fd).toBe(fd);
    expect(Number(mapping.address)).toBe(addressOf(mapping));
    expect(smaps(Number(mapping.address)).inode).toBe(fstatSync(fd).ino);
    using other = mmap({ backing: 'anonymous', sharing: 'private', length: PAGE });
    expect(other.fd).toBeUndefined();
  });

  test('its length is sealed: nobody can cut the memory away, or make it longer', () => {
    const { mapping, path } = shared();
    mapping.bytes.fill(1);
    expect(code(() => truncateSync(path, 0))).toBe('EPERM');
    expect(code(() => truncateSync(path, 2 * PAGE))).toBe('EPERM');
    expect(mapping.bytes.every((byte) => byte === 1)).toBe(true);
  });

  test.skipIf(noCompiler())('the kernel has its seals, and no more can be added', () => {
    expect(sealed()).toEqual(['seal', 'shrink', 'grow']);
    live?.unmapSync();
    expect(sealed({ peers: 'readonly' })).toEqual(['seal', 'shrink', 'grow', 'future-write']);
  });

  test('can be written to by peers, unless peers is readonly, and then by nobody but its maker', () => {
    expect(writeTo(shared().path)).toBe('allowed');
    live?.unmapSync();
    const readonly = shared({ peers: 'readonly' });
    readonly.mapping.bytes.write('mine');
    expect(writeTo(readonly.path)).toBe('EPERM');
    expect(readonly.mapping.text({ length: 4 })).toBe('mine');
  });
});

describe('another process', () => {
  let child: Child | undefined;
  afterEach(async () => child?.end());
  const peer = (): Child => {
    child = new Child(`
      attach(handle) { mapping = attach(handle); return mapping.text({ length: 5 }); },
      write(text) { return mapping.write(Buffer.from(text)); },
      protect() { mapping.protect('readwrite'); },
      facts() { const { length, access, sharing, backing } = mapping; return { length, access, sharing, backing }; },
      open() {
        const links = fs.readdirSync('/proc/self/fd').map((fd) => attempt(() => fs.readlinkSync('/proc/self/fd/' + fd)));
        return links.filter((link) => String(link).startsWith('/memfd:')).length;
      },
      unmap() { mapping.unmapSync(); },
    `);
    return child;
  };

  test('attaches, sees, writes, and outlives the memory’s maker', async () => {
    const { mapping, handle } = shared();
    mapping.bytes.write('hello');
    const other = peer();
    expect(await other.ask('attach', handle)).toBe('hello');
    expect(await other.ask('facts')).toEqual({
      length: PAGE,
      access: 'readwrite',
      sharing: 'shared',
      backing: 'anonymous',
    });
    expect(await other.ask('write', 'world')).toBe(5);
    expect(mapping.text({ length: 5 })).toBe('world');
    mapping.unmapSync();
    expect(await other.ask('write', 'alone')).toBe(5);
    await other.ask('unmap');
  });

  test('leaves no descriptor behind when it unmaps', async () => {
    const { handle } = shared();
    const other = peer();
    await other.ask('attach', handle);
    expect(await other.ask('open')).toBe(1);
    await other.ask('unmap');
    expect(await other.ask('open')).toBe(0);
  });

  test('can be given the right to read only: write() is EACCES, and protect() too', async () => {
    const { handle } = shared();
    const other = peer();
    await other.ask('attach', { ...handle, access: 'read' });
    expect((await other.ask('write', 'x')) as Failed).toMatchObject({ error: { code: 'EACCES' } });
    expect((await other.ask('protect')) as Failed).toMatchObject({ error: { code: 'EACCES', syscall: 'mprotect' } });
  });

  test('cannot write to memory that was made with peers: readonly, and can read it', async () => {
    const { mapping, handle } = shared({ peers: 'readonly' });
    mapping.bytes.write('sealed');
    const other = peer();
    const refused = (await other.ask('attach', { ...handle, access: 'readwrite' })) as Failed;
    expect(refused.error).toMatchObject({ code: 'EPERM', syscall: 'mmap' });
    expect(await other.ask('attach', { ...handle, access: 'read' })).toBe('seale');
    expect((await other.ask('protect')) as Failed).toMatchObject({ error: { syscall: 'mprotect' } });
  });

  test('attaches to a file by its handle, and sees the same file', async () => {
    const file = pagesOf(folder, 2);
    live = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, offset: 5, length: 100 });
    const other = peer();
    expect(await other.ask('attach', live.handle())).toBe('aaaaa');
    expect(await other.ask('facts')).toMatchObject({ length: 100, access: 'readwrite', backing: 'file' });
    await other.ask('write', 'other');
    expect(live.text({ length: 6 })).toBe('othera');
  });
});

describe('a child that inherits the descriptor', () => {
  test('attaches by its number, without a look at its parent', () => {
    const { mapping, fd } = shared();
    mapping.bytes.write('inherited');
    const script = `const m = attach(given); answer(m.text({ length: 9 })); m.write(Buffer.from('HERE'));`;
    expect(runChild(script, { given: mapping.handle({ inheritedFd: 3 }), inherit: fd })).toBe('inherited');
    expect(mapping.text({ length: 9 })).toBe('HERErited');
  });

  test.skipIf(notRoot())('attaches as another user, too', () => {
    const { mapping, fd } = shared();
    mapping.bytes.write('inherited');
    const script = `become(65534); answer(attempt(() => attach(given).text({ length: 9 })))`;
    expect(runChild(script, { given: mapping.handle({ inheritedFd: 3 }), inherit: fd })).toBe('inherited');
  });

  test('is refused another descriptor under that number', () => {
    const { mapping } = shared();
    const script = `answer(attempt(() => attach(given).length))`;
    expect(runChild(script, { given: mapping.handle({ inheritedFd: 0 }) })).toMatchObject({
      error: { code: 'ERR_STALE_HANDLE' },
    });
  });
});

describe('within one process attach() joins the same mapping', () => {
  test.each([
    { backing: 'anonymous', sharing: 'shared', length: PAGE },
    { backing: 'anonymous', sharing: 'shared', joinable: false, length: PAGE },
    { backing: 'anonymous', sharing: 'private', length: PAGE },
    { backing: 'file', sharing: 'private', file: '/proc/self/exe' },
  ] as const)('%j', (options) => {
    const mapping = mmap(options);
    live = mapping;
    const before = mappings().length;
    using joined = attach(JSON.parse(JSON.stringify(mapping.handle())) as ReturnType<Mapping['handle']>);
    expect(mappings()).toHaveLength(before);
    expect(joined).toMatchObject({ length: mapping.length, backing: options.backing, sharing: options.sharing });
    const address = addressOf(mapping);
    const last = mapping.text({ offset: mapping.length - 1 }, 'hex');
    mapping.unmapSync();
    // the other still has it, where it was
    expect(joined.text({ offset: joined.length - 1 }, 'hex')).toBe(last);
    expect(smaps(address).start).toBeLessThanOrEqual(address);
    expect(mappings()).toHaveLength(before);
    joined.unmapSync();
    expect(mappings()).toHaveLength(before - 1);
  });

  test('a write through one is seen through the other', () => {
    const { mapping, handle } = shared();
    using joined = attach(handle);
    joined.bytes.write('joined');
    expect(mapping.text({ length: 6 })).toBe('joined');
  });
});
