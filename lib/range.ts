import { invalidArgType, outOfRange } from './errors.js';

/** A part of a mapping, in bytes. Both ends may lie anywhere: nothing has to be aligned to pages. */
export interface ByteRange {
  /** The first byte, counted from the start of the mapping. Default: 0. */
  readonly offset?: number | bigint | undefined;
  /** How many bytes. Default: up to the end of the mapping. */
  readonly length?: number | bigint | undefined;
}

/** A ByteRange whose numbers are known to be good. */
export interface CheckedRange {
  readonly offset: number;
  readonly length: number;
}

const LARGEST = BigInt(Number.MAX_SAFE_INTEGER);

/** An exact number of bytes from 0 to 2^53 - 1, given as a number or a BigInt. */
export const toBytes = (value: unknown, name: string): number => {
  if (typeof value === 'number') {
    if (Number.isSafeInteger(value) && (value > 0 || Object.is(value, 0))) return value;
  } else if (typeof value === 'bigint') {
    if (value >= 0n && value <= LARGEST) return Number(value);
  } else {
    throw invalidArgType(name, 'of type number or bigint', value);
  }
  throw outOfRange(name, 'an integer >= 0 && <= 9007199254740991 (2^53 - 1)', value);
};

/** The range that was asked for, inside `total` bytes. `of` is what the two are called in errors. */
export const checkRange = (
  offset: unknown,
  length: unknown,
  total: number,
  of: readonly [offset: string, length: string],
): CheckedRange => {
  const from = offset === undefined ? 0 : toBytes(offset, of[0]);
  const count = length === undefined ? undefined : toBytes(length, of[1]);
  if (from > total) throw outOfRange(of[0], `>= 0 && <= ${total}`, offset);
  if (count !== undefined && count > total - from) throw outOfRange(of[1], `>= 0 && <= ${total - from}`, length);
  return { offset: from, length: count ?? total - from };
};
