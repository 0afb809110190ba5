import {
  ADVICE,
  type Advice,
  MAP_ANONYMOUS,
  MAP_NORESERVE,
  MAP_POPULATE,
  MAP_PRIVATE,
  MAP_SHARED,
  PROT_READ,
  PROT_WRITE,
} from '../constants.js';
import { invalidArgType, invalidArgValue, systemError } from '../errors.js';
import { type Mapping } from '../mapping.js';
import { mmap } from '../mmap.js';
import { native } from '../native.js';
import { type CheckedRange, checkRange, toBytes } from '../range.js';

export { MAP_POPULATE, MAP_PRIVATE, MAP_SHARED, PROT_READ, PROT_WRITE };
export const PROT_NONE = 0x0;
/** Taken and not passed on: nothing that this library maps can be executed. */
export const PROT_EXEC = 0x4;
export const MAP_NONBLOCK = 0x10000;
export const MADV_NORMAL = 0;
export const MADV_RANDOM = 1;
export const MADV_SEQUENTIAL = 2;
export const MADV_WILLNEED = 3;
export const MADV_DONTNEED = 4;
/** Bytes. */
export const PAGESIZE: number = native.pageSize;

const EINVAL = -22;
const MAP_TYPE = 0xf;
const PROT_KNOWN = PROT_READ | PROT_WRITE | PROT_EXEC;
const MAP_KNOWN = MAP_TYPE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK;
const RANGE = ['offset', 'length'] as const;

interface Mapped {
  readonly mapping: Mapping;
  /** Where in the ArrayBuffer the mapping begins. */
  readonly start: number;
}

/** By the ArrayBuffer, which parts of a Buffer have in common. What nobody holds any more is unmapped with it. */
const mapped = new WeakMap<ArrayBufferLike, Mapped>();

/** The mapping that a Buffer is over, and which part of it. */
const find = (buffer: unknown): CheckedRange & { mapping: Mapping } => {
  if (!ArrayBuffer.isView(buffer)) throw invalidArgType('buffer', 'a Buffer that map() returned', buffer);
  const found = mapped.get(buffer.buffer);
  if (found === undefined)
    throw invalidArgValue('buffer', 'must be a Buffer that map() returned, or a part of one', buffer);
  return { mapping: found.mapping, offset: buffer.byteOffset - found.start, length: buffer.byteLength };
};

/** A range of a Buffer, in bytes of its mapping. */
const rangeOf = (buffer: unknown, offset: unknown, length: unknown): CheckedRange & { mapping: Mapping } => {
  const part = find(buffer);
  const range = checkRange(offset, length, part.length, RANGE);
  return { mapping: part.mapping, offset: part.offset + range.offset, length: range.length };
};

const toBits = (value: unknown, known: number, name: string): number => {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!Number.isInteger(value) || (value & ~known) !== 0)
    throw invalidArgValue(name, `must have no bits but those of 0x${known.toString(16)}`, value);
  return value;
};

const toAccess = (protection: unknown): 'read' | 'readwrite' => {
  const bits = toBits(protection, PROT_KNOWN, 'protection');
  if (bits === PROT_NONE) throw invalidArgValue('protection', 'must let the Buffer be read', protection);
  return (bits & PROT_WRITE) === 0 ? 'read' : 'readwrite';
};

const toSharing = (flags: number): 'private' | 'shared' => {
  const type = flags & MAP_TYPE;
  if (type !== MAP_SHARED && type !== MAP_PRIVATE)
    throw systemError(EINVAL, 'mmap', 'The flags must have one of MAP_SHARED and MAP_PRIVATE');
  return type === MAP_SHARED ? 'shared' : 'private';
};

const toAdvice = (advice: unknown): Advice => {
  if (typeof advice !== 'number') throw invalidArgType('advise', 'of type number', advice);
  const found = Object.entries(ADVICE).find(([, { value }]) => value === advice);
  if (found === undefined) throw systemError(EINVAL, 'madvise', `No advice has the number ${advice}`);
  return found[0] as Advice;
};

/**
 * Maps a file, or anonymous memory with the flag MAP_ANONYMOUS (0x20), until the Buffer is collected. The range may reach past the
 * end of the file: what is not there reads as zeros.
 *
 * @example
 * ```ts
 * import { openSync } from 'node:fs';
 * import mmap from 'mmap-native/compat/mmap-io';
 *
 * const fd = openSync(process.execPath, 'r');
 * const buffer = mmap.map(4096, mmap.PROT_READ, mmap.MAP_SHARED, fd, 0, mmap.MADV_RANDOM);
 * console.log(buffer.toString('latin1', 1, 4)); // ELF
 * ```
 *
 * @param size - bytes.
 * @param protection - PROT_READ, PROT_WRITE. PROT_EXEC is not passed on.
 * @param flags - MAP_SHARED or MAP_PRIVATE, with MAP_POPULATE.
 * @param fd - of the file; may be closed afterwards.
 * @param offset - the first byte: any, also beyond 4 GiB. Default: 0.
 * @param advise - as in `advise()`. Default: none.
 * @throws as `mmap()` does: EINVAL for a size of 0, EACCES for PROT_WRITE on a shared mapping of what was opened for reading.
 */
export const map = (
  size: number,
  protection: number,
  flags: number,
  fd: number,
  offset = 0,
  advise: number = MADV_NORMAL,
): Buffer => {
  const length = toBytes(size, 'size');
  const access = toAccess(protection);
  const bits = toBits(flags, MAP_KNOWN, 'flags');
  const sharing = toSharing(bits);
  const advice = toAdvice(advise);
  if (length === 0) throw systemError(EINVAL, 'mmap', 'The size must not be 0');
  // with MAP_NONBLOCK, MAP_POPULATE does nothing since Linux 2.6.23
  const populate = (bits & (MAP_POPULATE | MAP_NONBLOCK)) === MAP_POPULATE;
  const common = { sharing, access, length, populate, noReserve: (bits & MAP_NORESERVE) !== 0 };
  const mapping =
    (bits & MAP_ANONYMOUS) === 0
      ? mmap({ ...common, backing: 'file', file: fd, offset, pastEnd: true })
      : mmap({ ...common, backing: 'anonymous', joinable: false });
  try {
    if (advise !== MADV_NORMAL) mapping.advise(advice, { discard: true });
    const { bytes } = mapping;
    mapped.set(bytes.buffer, { mapping, start: bytes.byteOffset });
    return bytes;
  } catch (error) {
    mapping.unmapSync();
    throw error;
  }
};

/** madvise(2) on all of a Buffer, or on a range of it. What throws bytes away acts only on whole pages inside of the range. */
export function advise(buffer: Uint8Array, advise: number): void;
export function advise(buffer: Uint8Array, offset: number, length: number, advise: number): void;
export function advise(buffer: Uint8Array, ...rest: readonly number[]): void {
  const [offset, length, number] = rest.length > 1 ? rest : [0, undefined, rest[0]];
  const name = toAdvice(number);
  const { mapping, ...range } = rangeOf(buffer, offset, length);
  mapping.advise(name, { ...range, discard: true });
}

/**
 * mincore(2) on the pages of a Buffer.
 * @returns how many are not in memory, and how many are.
 */
export const incore = (buffer: Uint8Array): [unmapped: number, mapped: number] => {
  const { mapping, ...range } = find(buffer);
  const { pages, resident } = mapping.residencySync(range);
  return [pages - resident, resident];
};

/**
 * msync(2) on a range of a Buffer. Blocking, it returns when the changes are on the disk. Otherwise it only checks its arguments:
 * that is what Linux does for MS_ASYNC, since it writes changes back by itself.
 */
// oxlint-disable-next-line no-underscore-dangle -- the name it has there
export const sync_lib_private__ = (
  buffer: Uint8Array,
  offset: number,
  length: number,
  blocking: boolean,
  invalidate: boolean,
): void => {
  const { mapping, ...range } = rangeOf(buffer, offset, length);
  if (blocking) mapping.syncSync({ ...range, invalidate });
};

/** `sync_lib_private__()` with defaults: all of the Buffer, not blocking, nothing invalidated. A length of 0 is the rest of it. */
export function sync(buffer: Uint8Array, blocking: boolean, invalidate?: boolean): void;
export function sync(
  buffer: Uint8Array,
  offset?: number,
  length?: number,
  blocking?: boolean,
  invalidate?: boolean,
): void;
export function sync(
  buffer: Uint8Array,
  first: boolean | number = 0,
  second?: boolean | number,
  blocking = false,
  invalidate = false,
): void {
  if (typeof first === 'boolean') {
    sync_lib_private__(buffer, 0, buffer.byteLength, first, Boolean(second));
    return;
  }
  const length = Number(second ?? 0);
  sync_lib_private__(buffer, first, length === 0 ? buffer.byteLength - first : length, blocking, invalidate);
}
