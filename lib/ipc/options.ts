import { invalidArgType, outOfRange } from '../errors.js';
import { rejectUnknown } from '../checks.js';

/** How long to wait. */
export interface TimeoutOptions {
  /** Milliseconds, from 0 on; fractions count. Default: for ever. */
  readonly timeout?: number | undefined;
}

/** How long to wait for a promise. */
export interface WaitOptions extends TimeoutOptions {
  /** Ends the waiting: the promise is rejected with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** The same, checked. */
export interface Limits {
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/** setTimeout() knows no longer one: 24 days. */
export const LONGEST_TIMER: number = 2 ** 31 - 1;

/** Milliseconds to wait. */
export const checkTimeout = (value: unknown, name = 'options.timeout'): number => {
  if (value === undefined) return Infinity;
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if (!(value >= 0)) throw outOfRange(name, '>= 0', value);
  return value;
};

/** Of any realm, and of any implementation. */
const isSignal = (value: unknown): value is AbortSignal =>
  typeof value === 'object' && value !== null && 'throwIfAborted' in value && 'addEventListener' in value;

const NONE: WaitOptions = {};

export const checkWait = (
  options: WaitOptions | undefined,
  known: readonly string[] = ['timeout', 'signal'],
): Limits => {
  if (options === null || (options !== undefined && typeof options !== 'object'))
    throw invalidArgType('options', 'of type object', options);
  const { timeout, signal } = options ?? NONE;
  if (options !== undefined) rejectUnknown(options, known);
  if (signal !== undefined && !isSignal(signal))
    throw invalidArgType('options.signal', 'an instance of AbortSignal', signal);
  return { timeout: checkTimeout(timeout), signal };
};

/** What is left of a timeout that begins now. */
export const countdown = (timeout: number): (() => number) => {
  if (timeout === Infinity) return () => Infinity;
  const end = performance.now() + timeout;
  return () => Math.max(0, end - performance.now());
};
