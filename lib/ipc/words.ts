import { types } from 'node:util';
import { invalidArgType, outOfRange } from '../errors.js';
import { native } from '../native.js';
import { checkTimeout, checkWait, type WaitOptions } from './options.js';
import { pause } from './pause.js';
import { awaken, notShared, rest, unwatch, watch } from './watches.js';

/** How a wait ended, in the words of `Atomics.wait`. */
export type WaitResult = 'ok' | 'not-equal' | 'timed-out';

const RESULTS: readonly WaitResult[] = ['ok', 'not-equal', 'timed-out'];
const ALL = 2 ** 31 - 1;
const PAIR = new Int32Array(2);

const int32 = (value: unknown, name: string): number => {
  if (typeof value !== 'number') throw invalidArgType(name, 'of type number', value);
  if ((value | 0) !== value) throw outOfRange(name, '>= -2147483648 && <= 2147483647', value);
  return value;
};

const checkWord = (view: unknown, index: unknown): void => {
  if (!types.isInt32Array(view)) throw invalidArgType('view', 'an instance of Int32Array', view);
  if (typeof index !== 'number') throw invalidArgType('index', 'of type number', index);
  if (!Number.isInteger(index) || index < 0 || index >= view.length)
    throw outOfRange('index', `>= 0 && < ${view.length}`, index);
};

const turn = (): void => undefined;

/** Sleeps while every word of the pairs (index, expected) is as expected. */
export const sleep = (view: Int32Array, pairs: Int32Array, count: number, timeout: number): WaitResult => {
  const answer = native.ipc.waitSync(view, pairs, count, timeout, turn);
  const result = RESULTS[answer];
  if (result === undefined) throw notShared(view);
  return result;
};

/**
 * Sleeps until `notify()` is called for the word, in whatever thread or process: `Atomics.wait`, past the process border, on the main
 * thread too. A worker that sleeps here can be terminated, and a process can exit.
 *
 * What it waits for is another value: change the word, then notify. One that is changed and changed back may go unseen.
 *
 * @param view - over a mapping with `sharing: 'shared'`.
 * @param index - of the word in the view.
 * @param expected - it sleeps only while the word has this value.
 * @param timeout - milliseconds. Default: for ever.
 * @returns `'not-equal'` when the word had another value, `'timed-out'`, else `'ok'`.
 */
export const waitSync = (view: Int32Array, index: number, expected: number, timeout?: number): WaitResult => {
  checkWord(view, index);
  PAIR[1] = int32(expected, 'expected');
  PAIR[0] = index;
  return sleep(view, PAIR, 1, checkTimeout(timeout, 'timeout'));
};

/**
 * The promise of what `waitSync()` returns. It uses no thread of the pool, and keeps the event loop running until it is settled.
 * Waits of one thread on one word are all told by one `notify()`, whatever its count.
 *
 * @param options - `timeout` in milliseconds, and `signal`.
 */
export const wait = async (
  view: Int32Array,
  index: number,
  expected: number,
  options?: WaitOptions,
): Promise<WaitResult> => {
  checkWord(view, index);
  int32(expected, 'expected');
  const limits = checkWait(options);
  limits.signal?.throwIfAborted();
  if (Atomics.load(view, index) !== expected) return 'not-equal';
  awaken();
  try {
    return await pause<WaitResult>(limits, 'timed-out', ({ resolve, reject }) => {
      const id = watch(view, index, expected, (error) => {
        if (error === undefined) resolve('ok');
        else reject(error);
      });
      // where it has fired meanwhile, that is what counts: the wake-up may have been meant for one alone
      return () => unwatch(id);
    });
  } finally {
    rest();
  }
};

/**
 * Wakes who waits for the word, in all threads and processes: `Atomics.notify`. Change the word first.
 *
 * @param count - how many. Default: all.
 * @returns how many were woken.
 *
 * @example
 * ```ts
 * import { mmap } from 'mmap-native';
 * import { notify, wait } from 'mmap-native/ipc';
 *
 * using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
 * const words = shared.view(Int32Array);
 * const woken = wait(words, 0, 0); // as long as it is 0
 * Atomics.store(words, 0, 1);
 * notify(words, 0);
 * console.log(await woken); // ok
 * ```
 */
export const notify = (view: Int32Array, index: number, count: number = ALL): number => {
  checkWord(view, index);
  if (typeof count !== 'number') throw invalidArgType('count', 'of type number', count);
  if (!(count >= 0)) throw outOfRange('count', '>= 0', count);
  return count < 1 ? 0 : native.ipc.wake(view, index, Math.min(Math.floor(count), ALL));
};
