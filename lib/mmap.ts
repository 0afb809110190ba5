import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import {
  ADVICE,
  type Advice,
  MAP_ANONYMOUS,
  MAP_HUGETLB,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  MLOCK_ONFAULT,
  PROT_READ,
  PROT_WRITE,
} from './constants.js';
import { withName } from './errors.js';
import { Mapping } from './mapping.js';
import { type Handle, native } from './native.js';
import { type CheckedOptions, checkOptions, type MmapOptions } from './options.js';

/** Bytes of one page of the pool that MAP_HUGETLB takes from. */
const hugetlbPageSize = (): number => {
  const size = /^Hugepagesize:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1];
  return size === undefined ? 0 : Number(size) * 1024;
};

const map = (options: CheckedOptions): Handle => {
  const { sharing, access, populate, noReserve, guarded } = options.common;
  const prot = access === 'read' ? PROT_READ : PROT_READ | PROT_WRITE;
  let flags = sharing === 'shared' ? MAP_SHARED : MAP_PRIVATE;
  if (populate) flags |= MAP_POPULATE;
  if (noReserve) flags |= MAP_NORESERVE;
  if (options.backing === 'file') {
    const write = sharing === 'shared' && access === 'readwrite';
    return native.mapFile(
      options.file,
      prot,
      flags,
      options.offset,
      options.length,
      write,
      options.grow,
      options.pastEnd,
      guarded,
    );
  }
  if (options.path !== undefined)
    return native.mapNamed(options.path, prot, flags, options.length, options.exclusive, guarded);
  const hugePageSize = options.hugePages === 'hugetlb' ? hugetlbPageSize() : 0;
  if (options.joinable) {
    const name = randomBytes(16).toString('hex');
    return native.mapMemfd(name, prot, flags, options.length, hugePageSize, options.peers === 'readonly', guarded);
  }
  if (hugePageSize > 0) flags |= MAP_HUGETLB;
  return native.mapAnonymous(prot, flags | MAP_ANONYMOUS, options.length, hugePageSize, guarded);
};

const pathOf = (options: CheckedOptions): string | Uint8Array | undefined => {
  if (options.backing === 'anonymous') return options.path;
  return typeof options.file === 'number' ? undefined : options.file;
};

/** What no flag of mmap(2) says. */
const tune = (handle: Handle, options: CheckedOptions, length: number): void => {
  const advise = (name: Advice): void => {
    try {
      native.madvise(handle, 0, length, ADVICE[name].value, false);
    } catch (error) {
      throw withName(error, `MADV_${name.toUpperCase()}`);
    }
  };
  const { advice, lock } = options.common;
  if (options.hugePages === true) advise('hugepage');
  if (advice !== undefined) advise(advice);
  if (lock !== false) native.mlock(handle, 0, length, lock === 'onfault' ? MLOCK_ONFAULT : 0, false);
};

/**
 * Maps a file or anonymous memory: mmap(2).
 *
 * @example
 * ```ts
 * import { mmap } from 'mmap-native';
 *
 * using node = mmap({ backing: 'file', sharing: 'private', file: process.execPath });
 * console.log(node.text({ offset: 1, length: 3 })); // ELF
 * ```
 *
 * @param options - `backing` and `sharing` say which of the four mappings it is, and have no default.
 * @returns the mapping; unmap it with `using`, `unmap()`, or leave it to the garbage collector.
 * @throws ERR_INVALID_ARG_TYPE, ERR_INVALID_ARG_VALUE, ERR_OUT_OF_RANGE, ERR_MISSING_OPTION for options; and as open(2) and mmap(2)
 * do: ENOENT, EACCES, EISDIR, ENODEV (not a thing that can be mapped), ENOMEM (no address space, or `vm.max_map_count`),
 * ENOSPC (with `grow`), EPERM, EAGAIN (with `lock`). See docs/errors.md.
 */
export const mmap = (options: MmapOptions): Mapping => {
  const checked = checkOptions(options);
  const handle = map(checked);
  let offset = 0;
  let { length } = checked;
  let { pageSize } = native;
  try {
    if (checked.backing === 'file') {
      ({ offset } = checked);
      length ??= native.length(handle);
      // pages of hugetlbfs are larger
      if (offset % pageSize !== 0) ({ pageSize } = native.facts(handle));
    }
    length ??= 0;
    tune(handle, checked, length);
  } catch (error) {
    native.unmap(handle);
    throw error;
  }
  const { backing } = checked;
  const { sharing, access, label } = checked.common;
  if (label !== undefined) native.label(handle, label);
  const path = pathOf(checked);
  return Mapping.create(handle, { backing, sharing, access, path, label }, offset, length, pageSize);
};
