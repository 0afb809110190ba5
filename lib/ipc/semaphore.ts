import { outOfRange } from '../errors.js';
import { type Mapping } from '../mapping.js';
import { native } from '../native.js';
import { rejectUnknown } from '../checks.js';
import { corrupt, timedOut } from './errors.js';
import { Line } from './line.js';
import { checkWait, countdown, type TimeoutOptions, type WaitOptions } from './options.js';
import { checkPlace, LOCK_BYTES } from './place.js';
import { wait, waitSync } from './words.js';

const WAITERS = 0x80000000 | 0;
/** The word is the number of permits and one more: 0 is where no Semaphore has been yet. */
const NONE = 1;
const MOST = 2 ** 30;
/** More than one system call can add. */
const MOST_AT_ONCE = 2047;
const TAKEN = 0;

/** Options of `new Semaphore()`. */
export interface SemaphoreOptions {
  /** How many permits there are to begin with: the first one to make it decides. */
  readonly permits: number;
}

const checkCount = (value: unknown, name: string, least: number): number => {
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= MOST) return value;
  throw outOfRange(name, `an integer >= ${least} && <= ${MOST}`, value);
};

/**
 * A number of permits for threads and processes: 8 bytes of a shared mapping, zero before its first use. Permits have no
 * owner: those of a process that dies are not given back.
 *
 * @example
 * ```ts
 * import { mmap } from 'mmap-native';
 * import { Semaphore } from 'mmap-native/ipc';
 *
 * using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
 * const semaphore = new Semaphore(shared, 0, { permits: 2 });
 * await semaphore.acquire();
 * console.log(semaphore.permits, semaphore.tryAcquire(), semaphore.tryAcquire()); // 1 true false
 * semaphore.release(2);
 * ```
 */
export class Semaphore {
  /** Bytes that it takes, on a multiple of 8. */
  static readonly BYTES: number = LOCK_BYTES;

  readonly #words: Int32Array;
  readonly #line = new Line();

  /**
   * @param mapping - shared and writable.
   * @param byteOffset - where in it, on a multiple of 8.
   */
  constructor(mapping: Mapping, byteOffset: number, options: SemaphoreOptions) {
    const permits = checkCount(options.permits, 'options.permits', 0);
    rejectUnknown(options, ['permits']);
    this.#words = checkPlace(mapping, byteOffset).words;
    Atomics.compareExchange(this.#words, 0, 0, permits + NONE);
  }

  /** How many permits there are now. */
  get permits(): number {
    return this.#count(Atomics.load(this.#words, 0));
  }

  /** Takes a permit, and blocks until there is one. @throws ERR_TIMEOUT. */
  acquireSync(options?: TimeoutOptions): void {
    const { timeout } = checkWait(options, ['timeout']);
    const left = countdown(timeout);
    for (;;) {
      const seen = this.#take();
      if (seen === TAKEN) return;
      if (waitSync(this.#words, 0, seen, left()) === 'timed-out') throw timedOut('acquireSync()', timeout);
    }
  }

  /** The promise of a permit. @throws ERR_TIMEOUT, and the reason of `signal`. */
  async acquire(options?: WaitOptions): Promise<void> {
    const { timeout, signal } = checkWait(options);
    signal?.throwIfAborted();
    const left = countdown(timeout);
    if (!(await this.#line.enter({ timeout, signal }))) throw timedOut('acquire()', timeout);
    try {
      for (;;) {
        const seen = this.#take();
        if (seen === TAKEN) return;
        const result = await wait(this.#words, 0, seen, { timeout: left(), signal });
        if (result === 'timed-out') throw timedOut('acquire()', timeout);
      }
    } finally {
      this.#line.leave();
    }
  }

  /** Takes a permit if there is one. */
  tryAcquire(): boolean {
    return this.permits > 0 && this.#take() === TAKEN;
  }

  /** Gives permits back, or adds new ones. */
  release(permits = 1): void {
    let left = checkCount(permits, 'permits', 1);
    if (this.permits > MOST - left) throw outOfRange('permits', `<= ${MOST - this.permits}`, permits);
    while (left > 0) {
      const seen = Atomics.load(this.#words, 0);
      const some = Math.min(left, MOST_AT_ONCE);
      if ((seen & WAITERS) !== 0) native.ipc.addAndWakeAll(this.#words, 0, some);
      else if (Atomics.compareExchange(this.#words, 0, seen, seen + some) !== seen) continue;
      left -= some;
    }
  }

  #count(seen: number): number {
    const count = (seen & ~WAITERS) - NONE;
    if (count < 0) throw corrupt('a Semaphore', seen);
    return count;
  }

  /** TAKEN, or the value to sleep on, which says by then that somebody does. */
  #take(): number {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, 0);
      if (this.#count(seen) > 0) {
        // nobody sleeps while there are permits: the first of them woke everybody
        if (Atomics.compareExchange(words, 0, seen, (seen & ~WAITERS) - 1) === seen) return TAKEN;
      } else if ((seen & WAITERS) !== 0 || Atomics.compareExchange(words, 0, seen, seen | WAITERS) === seen) {
        return seen | WAITERS;
      }
    }
  }
}
