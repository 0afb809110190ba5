import { MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE } from './constants.js';
import { attachDenied, invalidState, ownerGone } from './errors.js';
import { checkHandle, type MappingHandle, type Origin } from './handle.js';
import { Mapping } from './mapping.js';
import { type Handle, native } from './native.js';

const originOf = (handle: Handle, path?: string): { mapping: Mapping } => {
  const facts = native.facts(handle);
  const origin: Origin = {
    backing: facts.fd < 0 && facts.inode !== 0n ? 'file' : 'anonymous',
    sharing: (facts.flags & MAP_SHARED) === 0 ? 'private' : 'shared',
    access: (facts.prot & PROT_WRITE) === 0 ? 'read' : 'readwrite',
    path,
    label: facts.label,
  };
  return { mapping: Mapping.create(handle, origin, facts.offset, facts.length, facts.pageSize) };
};

const open = (handle: MappingHandle): Handle => {
  const write = handle.access === 'readwrite';
  switch (handle.kind) {
    case 'process':
      throw handle.pid === process.pid
        ? ownerGone(`No mapping '${handle.name}' in this process`)
        : invalidState('this memory has no descriptor, so only workers of the process that mapped it can attach');
    case 'file': {
      const flags = handle.sharing === 'shared' ? MAP_SHARED : MAP_PRIVATE;
      const prot = write ? PROT_READ | PROT_WRITE : PROT_READ;
      const [device, inode] = [BigInt(handle.device), BigInt(handle.inode)];
      const forWriting = write && handle.sharing === 'shared';
      return native.mapFile(
        handle.path,
        prot,
        flags,
        handle.offset,
        handle.length,
        forWriting,
        false,
        false,
        true,
        device,
        inode,
      );
    }
    case 'inherited':
      return native.attachMemfd(handle.fd, handle.name, handle.length, write);
    default: {
      const owner = handle.pid === process.pid ? 'self' : handle.pid;
      return native.attachMemfd(`/proc/${owner}/fd/${handle.fd}`, handle.name, handle.length, write);
    }
  }
};

/**
 * Joins a mapping of another worker or process, by what its `handle()` returned. Within one process it is the same mapping at
 * the same address; elsewhere the same memory, mapped again: open(2) of /proc/PID/fd/N or of the file, mmap(2).
 *
 * @param handle - the object, or a copy of it that went through JSON. `access` and `length` are those of its maker.
 * @returns a Mapping of its own, to be unmapped like any other.
 * @throws ERR_INVALID_ARG_TYPE, ERR_OWNER_GONE when the owner has ended or unmapped it, ERR_STALE_HANDLE when something else is there now,
 * ERR_ATTACH_DENIED when the kernel does not let this process look (another user), EPERM for writing to memory that was made with
 * `peers: 'readonly'`, ERR_INVALID_STATE for memory that only workers can join, ERR_INVALID_ARG_VALUE for what is no handle;
 * for files as `mmap()`.
 *
 * @example
 * ```ts
 * import { once } from 'node:events';
 * import { isMainThread, Worker, workerData } from 'node:worker_threads';
 * import { attach, mmap } from 'mmap-native';
 *
 * if (isMainThread) {
 *   using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
 *   await once(new Worker(new URL(import.meta.url), { workerData: shared.handle() }), 'exit');
 *   console.log(shared.text({ length: 5 })); // hello
 * } else {
 *   attach(workerData).bytes.write('hello');
 * }
 * ```
 */
export const attach = (handle: MappingHandle): Mapping => {
  const checked = checkHandle(handle);
  const joined = native.join(checked.name);
  if (joined !== undefined) return originOf(joined).mapping;
  try {
    return originOf(open(checked), checked.kind === 'file' ? checked.path : undefined).mapping;
  } catch (error) {
    const { code, path } = error as { code?: string; path?: string };
    if (checked.kind !== 'memfd' || path === undefined) throw error;
    if (code === 'ENOENT') throw ownerGone(`Nothing at '${path}' in process ${checked.pid}`);
    if (code === 'EACCES') throw attachDenied(path);
    throw error;
  }
};
