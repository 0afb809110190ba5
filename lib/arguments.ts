import { MADV_POPULATE_READ, MADV_POPULATE_WRITE, MLOCK_ONFAULT, MS_INVALIDATE, MS_SYNC } from './constants.js';
import { invalidArgType, outOfRange } from './errors.js';
import { flag, readOptions } from './checks.js';
import { type ByteRange, type CheckedRange, checkRange } from './range.js';

/** The options of the methods of Mapping: their types, and how each is read, once, into what native code takes. */

/** Options of `sync()`. */
export interface SyncOptions extends ByteRange {
  /** MS_INVALIDATE: also ask other mappings of the file to be brought up to date; EBUSY on locked pages. Default: false. */
  readonly invalidate?: boolean | undefined;
}

/** Options of `advise()`. */
export interface AdviseOptions extends ByteRange {
  /** Agree to lose bytes: `'free'` and `'remove'` need it, and `'dontneed'` on private memory. Only whole pages inside the range go. Default: false. */
  readonly discard?: boolean | undefined;
}

/** Options of `lock()`. */
export interface LockOptions extends ByteRange {
  /** MLOCK_ONFAULT: keep each page from its first touch on, and read nothing now. Default: false. */
  readonly onFault?: boolean | undefined;
}

/** Options of `populate()`. */
export interface PopulateOptions extends ByteRange {
  /**
   * MADV_POPULATE_WRITE: make the pages writable at once. Private ones are copied, shared ones get their place in the file system. Default: true for
   * read-write anonymous memory, else false.
   */
  readonly write?: boolean | undefined;
}

const NAMES = ['options.offset', 'options.length'] as const;
const RANGE = ['offset', 'length'];

const rangeIn = (given: Record<string, unknown>, total: number): CheckedRange =>
  checkRange(given['offset'], given['length'], total, NAMES);

export const readRange = (options: ByteRange | undefined, total: number): CheckedRange =>
  rangeIn(readOptions(options, RANGE), total);

/** The range that a copy of `memory` goes over. Where the memory is larger than what is left, a copy may be short or is refused. */
export const readCopy = (
  memory: unknown,
  name: string,
  options: ByteRange | undefined,
  total: number,
  mayBeShort: boolean,
): CheckedRange => {
  if (!ArrayBuffer.isView(memory)) throw invalidArgType(name, 'a TypedArray, DataView or Buffer', memory);
  const { offset, length } = readOptions(options, RANGE);
  const range = rangeIn({ offset, length }, total);
  if (length !== undefined && range.length > memory.byteLength)
    throw outOfRange('options.length', `<= ${memory.byteLength}, the bytes of ${name}`, range.length);
  if (!mayBeShort && length === undefined && memory.byteLength > range.length)
    throw outOfRange(`${name}.byteLength`, `<= ${range.length}, what is left of the mapping`, memory.byteLength);
  return { offset: range.offset, length: Math.min(range.length, memory.byteLength) };
};

export const readSync = (options: SyncOptions | undefined, total: number): CheckedRange & { flags: number } => {
  const given = readOptions(options, [...RANGE, 'invalidate']);
  const invalidate = flag(given['invalidate'], 'options.invalidate');
  return { ...rangeIn(given, total), flags: MS_SYNC | (invalidate ? MS_INVALIDATE : 0) };
};

export const readAdvise = (options: AdviseOptions | undefined, total: number): CheckedRange & { discard: boolean } => {
  const given = readOptions(options, [...RANGE, 'discard']);
  const discard = flag(given['discard'], 'options.discard');
  return { ...rangeIn(given, total), discard };
};

export const readLock = (options: LockOptions | undefined, total: number): CheckedRange & { flags: number } => {
  const given = readOptions(options, [...RANGE, 'onFault']);
  const onFault = flag(given['onFault'], 'options.onFault');
  return { ...rangeIn(given, total), flags: onFault ? MLOCK_ONFAULT : 0 };
};

export const readPopulate = (
  options: PopulateOptions | undefined,
  total: number,
  usuallyWrites: boolean,
): CheckedRange & { advice: number; name: string } => {
  const given = readOptions(options, [...RANGE, 'write']);
  const write = flag(given['write'], 'options.write', usuallyWrites);
  const range = rangeIn(given, total);
  return write
    ? { ...range, advice: MADV_POPULATE_WRITE, name: 'MADV_POPULATE_WRITE' }
    : { ...range, advice: MADV_POPULATE_READ, name: 'MADV_POPULATE_READ' };
};
