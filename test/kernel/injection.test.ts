import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Mapping, mmap } from '../../lib/index.js';
import { Child, type Failed } from '../helpers/children.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { noStrace } from '../helpers/skip.js';
import { inject } from '../helpers/strace.js';

/**
 * Every system call of the library is made to fail in turn, in a child whose main thread strace holds. The child does each thing
 * before, so that the runtime has what it needs and the next calls are ours. Now and then one of the runtime's own comes first all
 * the same, and takes the failure: hence RETRY.
 */
const RETRY = { retry: 2 };

const folder = tempDir();
let child: Child;
let file = '';
let owner: Mapping;

const SCRIPT = `
  prepare({ task, file, handle }) {
    const form = { backing: 'file', sharing: 'private', file };
    const writable = { ...form, sharing: 'shared', access: 'readwrite' };
    const memory = { backing: 'anonymous', sharing: 'private', length: 3 * 4096 };
    const made = (mapping) => { mapping.unmapSync(); return 'done'; };
    const on = (options, body, seen) => () => {
      mapping = mmap(options);
      if (seen) mapping.bytes.fill(1);
      return () => { body(mapping); return 'done'; };
    };
    const now = (body) => () => body;
    const kinds = {
      file: now(() => made(mmap(form))),
      shared: now(() => made(mmap(writable))),
      grow: () => { fs.truncateSync(file, 4096); return () => made(mmap({ ...writable, length: 8 * 4096, grow: true })); },
      anonymous: now(() => made(mmap(memory))),
      memfd: now(() => made(mmap({ ...memory, sharing: 'shared' }))),
      locked: now(() => made(mmap({ ...memory, lock: true }))),
      advised: now(() => made(mmap({ ...memory, advice: 'dontdump' }))),
      huge: now(() => made(mmap({ ...memory, hugePages: true }))),
      attach: now(() => made(attach(handle))),
      join: now(() => made(attach({ ...handle, kind: 'file', path: file }))),
      unmap: on(memory, () => mapping.unmapSync()),
      decommit: on({ ...memory, onFault: 'signal' }, () => mapping.unmapSync(), true),
      entomb: on(memory, () => mapping.unmapSync(), true),
      resize: on(memory, () => mapping.resize(64 * 4096)),
      move: on(memory, () => mapping.resize(64 * 4096), true),
      shrink: on(memory, () => mapping.resize(4096)),
      extend: () => { fs.truncateSync(file, 4096); return on(writable, () => mapping.resize(8 * 4096, { grow: true }))(); },
      sync: on(writable, () => mapping.syncSync()),
      advise: on(memory, () => mapping.advise('dontfork')),
      populate: on(memory, () => mapping.populateSync()),
      lock: on(memory, () => mapping.lockSync()),
      unlock: on(memory, () => mapping.unlock()),
      residency: on(memory, () => mapping.residencySync()),
      read: on(memory, () => mapping.read(Buffer.alloc(8))),
      write: on(memory, () => mapping.write(Buffer.alloc(8))),
      text: on(memory, () => mapping.text()),
      protect: on(memory, () => mapping.protect('read')),
    };
    const end = () => { mapping?.unmapSync(); mapping = undefined; };
    for (let i = 0; i < 3; i++) { kinds[task]()(); end(); }
    tasks.run = kinds[task]();
    return tasks.state(file);
  },
  go() { return attempt(tasks.run); },
  state(file) {
    const links = fs.readdirSync('/proc/self/fd').map((fd) => {
      try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return 'gone'; }
    });
    // free() of another thread looks there for a moment
    const notOurs = ['gone', '/proc/sys/vm/overcommit_memory'];
    const maps = fs.readFileSync('/proc/self/maps', 'utf8').split('\\n');
    return {
      open: links.filter((link) => !notOurs.includes(link)).sort(),
      mapped: maps.filter((line) => line.includes(file) || line.includes('/memfd:')),
      listed: mappings().flatMap(({ address, length, decommitted }) => decommitted ? [] : [address + ' ' + length]),
      size: fs.statSync(file).size,
      length: mapping?.length ?? 0,
      seen: mapping?.unmapped === false ? mapping.text({}, 'hex').slice(0, 8) : '',
    };
  },
`;

interface State {
  readonly open: string[];
  readonly mapped: string[];
  readonly listed: string[];
  readonly size: number;
}

beforeEach(() => {
  file = pagesOf(folder, 4);
  owner = mmap({ backing: 'anonymous', sharing: 'shared', length: 3 * PAGE });
  child = new Child(SCRIPT);
});
afterEach(async () => {
  await child.end();
  owner.unmapSync();
});

const run = async (task: string, what: string[]): Promise<{ before: State; result: Failed | 'done'; after: State }> => {
  const before = (await child.ask('prepare', { task, file, handle: owner.handle() })) as State;
  const result = await inject(child, what, async () => child.ask('go'));
  return { before, result: result as Failed | 'done', after: (await child.ask('state', file)) as State };
};

const CASES: [task: string, what: string[], code: string, syscall: string | undefined][] = [
  ['file', ['openat:error=EMFILE'], 'EMFILE', 'open'],
  ['file', ['openat:error=ENFILE'], 'ENFILE', 'open'],
  ['file', ['fstat:error=EIO'], 'EIO', 'fstat'],
  ['file', ['mmap:error=ENOMEM:when=1'], 'ENOMEM', 'mmap'],
  ['file', ['mmap:error=ENODEV:when=1'], 'ENODEV', 'mmap'],
  ['shared', ['openat:error=ETXTBSY'], 'ETXTBSY', 'open'],
  ['shared', ['openat:error=EROFS'], 'EROFS', 'open'],
  ['shared', ['mmap:error=EPERM:when=1'], 'EPERM', 'mmap'],
  ['shared', ['mmap:error=EAGAIN:when=1'], 'EAGAIN', 'mmap'],
  ['grow', ['fallocate:error=ENOSPC'], 'ENOSPC', 'fallocate'],
  ['grow', ['fallocate:error=EDQUOT'], 'EDQUOT', 'fallocate'],
  ['grow', ['fallocate:error=EIO:when=2'], 'EIO', 'fallocate'],
  ['grow', ['fallocate:error=EOPNOTSUPP', 'ftruncate:error=EFBIG'], 'EFBIG', 'ftruncate'],
  ['anonymous', ['mmap:error=ENOMEM:when=1'], 'ENOMEM', 'mmap'],
  ['memfd', ['memfd_create:error=EMFILE'], 'EMFILE', 'memfd_create'],
  ['memfd', ['memfd_create:error=ENOSYS'], 'ENOSYS', 'memfd_create'],
  ['memfd', ['ftruncate:error=ENOMEM'], 'ENOMEM', 'ftruncate'],
  ['memfd', ['fchmod:error=EPERM'], 'EPERM', 'fchmod'],
  ['memfd', ['fstat:error=EIO'], 'EIO', 'fstat'],
  ['memfd', ['mmap:error=ENOMEM:when=1'], 'ENOMEM', 'mmap'],
  ['memfd', ['fcntl:error=EPERM'], 'EPERM', 'fcntl'],
  ['locked', ['mlock2:error=EAGAIN'], 'EAGAIN', 'mlock2'],
  ['locked', ['mlock2:error=ENOSYS'], 'ENOSYS', 'mlock2'],
  ['advised', ['madvise:error=EINVAL'], 'EINVAL', 'madvise'],
  ['huge', ['madvise:error=EINVAL'], 'EINVAL', 'madvise'],
  ['attach', ['openat:error=EMFILE'], 'EMFILE', 'open'],
  ['attach', ['openat:error=EMFILE:when=2'], 'EMFILE', 'open'],
  ['attach', ['openat:error=ENOENT'], 'ERR_OWNER_GONE', undefined],
  ['attach', ['openat:error=EACCES'], 'ERR_ATTACH_DENIED', undefined],
  ['attach', ['readlinkat:error=ENOENT'], 'ERR_STALE_HANDLE', undefined],
  ['attach', ['fstat:error=EIO'], 'EIO', 'fstat'],
  ['attach', ['fcntl:error=EINVAL'], 'EINVAL', 'fcntl'],
  ['attach', ['fcntl:retval=0'], 'EPERM', 'fcntl'],
  ['attach', ['mmap:error=ENOMEM:when=1'], 'ENOMEM', 'mmap'],
  ['resize', ['mremap:error=ENOMEM'], 'ENOMEM', 'mremap'],
  ['resize', ['mremap:error=EFAULT'], 'EFAULT', 'mremap'],
  ['move', ['mremap:error=ENOMEM'], 'ENOMEM', 'mremap'],
  ['move', ['mremap:error=EINVAL:when=1'], 'EINVAL', 'mremap'],
  ['move', ['mremap:error=ENOMEM:when=2'], 'ENOMEM', 'mremap'],
  ['shrink', ['mremap:error=ENOMEM'], 'ENOMEM', 'mremap'],
  ['extend', ['openat:error=EMFILE'], 'EMFILE', 'open'],
  ['extend', ['fstat:error=EIO', 'statx:error=EIO'], 'EIO', 'fstat'],
  ['extend', ['fallocate:error=ENOSPC'], 'ENOSPC', 'fallocate'],
  ['sync', ['msync:error=EIO'], 'EIO', 'msync'],
  ['advise', ['madvise:error=EINVAL'], 'EINVAL', 'madvise'],
  ['populate', ['madvise:error=ENOMEM'], 'ENOMEM', 'madvise'],
  ['lock', ['mlock2:error=ENOMEM'], 'ENOMEM', 'mlock2'],
  ['unlock', ['munlock:error=ENOMEM'], 'ENOMEM', 'munlock'],
  ['residency', ['mincore:error=EAGAIN'], 'EAGAIN', 'mincore'],
  ['read', ['process_vm_readv:error=ESRCH'], 'ESRCH', 'process_vm_readv'],
  ['write', ['process_vm_writev:error=EFAULT'], 'EFAULT', 'process_vm_writev'],
  ['text', ['process_vm_readv:error=ENOSYS', 'pipe2:error=EMFILE'], 'EMFILE', 'pipe2'],
];

describe.skipIf(noStrace())(
  'a system call that fails is an error with its name, and leaves all as it was',
  RETRY,
  () => {
    test.each(CASES)('%s: %j is %s', async (task, what, code, syscall) => {
      const { before, result, after } = await run(task, what);
      expect(result).toMatchObject({ error: syscall === undefined ? { code } : { code, syscall } });
      expect(after).toEqual(before);
    });

    // blocks and length were there before the mapping could fail
    test('grow: mmap fails after the file has grown, and no descriptor is left', async () => {
      const { before, result, after } = await run('grow', ['mmap:error=ENOMEM:when=1']);
      expect(result).toMatchObject({ error: { code: 'ENOMEM', syscall: 'mmap' } });
      expect(after).toEqual({ ...before, size: 8 * PAGE });
    });

    test('an advice that the kernel does not know is named', async () => {
      const { result } = await run('advised', ['madvise:error=EINVAL']);
      expect((result as Failed).error.message).toContain("'MADV_DONTDUMP'");
    });
  },
);

describe.skipIf(noStrace())('what may fail without harm does not show', () => {
  test.each([
    ['file', ['openat:error=EINTR:when=1']],
    ['file', ['fcntl:error=EMFILE']],
    ['shared', ['fcntl:error=EMFILE']],
    ['grow', ['fallocate:error=EINTR:when=1']],
    ['grow', ['fallocate:error=EOPNOTSUPP']],
    ['memfd', ['ftruncate:error=EINTR:when=1']],
    ['memfd', ['memfd_create:error=EINVAL:when=1']],
    ['sync', ['msync:error=EINTR:when=1']],
    ['populate', ['madvise:error=EINTR:when=1']],
    ['read', ['process_vm_readv:error=EPERM']],
    ['text', ['process_vm_readv:error=ENOSYS']],
    ['write', ['process_vm_writev:error=ENOSYS']],
  ])('%s: %j', async (task, what) => {
    const { before, result, after } = await run(task, what);
    expect(result).toBe('done');
    expect(after).toEqual(task === 'grow' ? { ...before, size: 8 * PAGE } : before);
  });
});

describe.skipIf(noStrace())('an unmap that the kernel refuses', RETRY, () => {
  test('is an error, and the mapping stays in sight', async () => {
    const { before, result, after } = await run('unmap', ['munmap:error=ENOMEM:when=1']);
    expect(result).toMatchObject({ error: { code: 'ENOMEM', syscall: 'munmap', errno: -12 } });
    expect(after.listed).toEqual(before.listed);
  });

  test.each(['decommit', 'entomb'])('%s: is an error, and the views are gone all the same', async (task) => {
    const { before, result, after } = await run(task, ['mmap:error=ENOMEM']);
    expect(result).toMatchObject({ error: { code: 'ENOMEM', syscall: 'mmap' } });
    expect(after.listed).toEqual(before.listed);
    expect(after).toMatchObject({ length: 0, seen: '' });
  });
});
