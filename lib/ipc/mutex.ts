import { invalidArgType } from '../errors.js';
import { Mapping } from '../mapping.js';
import { rejectUnknown } from '../checks.js';
import { deadlock, notLocked, ownerDied, timedOut } from './errors.js';
import { Line } from './line.js';
import { checkWait, countdown, type TimeoutOptions, type WaitOptions } from './options.js';
import { checkPlace, LOCK_BYTES } from './place.js';
import { OWNER, OWNER_DIED, RobustWord, TAKEN, TAKEN_FROM_DEAD } from './robust.js';
import { wait, waitSync } from './words.js';

/** Options of `new Mutex()`. */
export interface MutexOptions {
  /**
   * Called with the lock held when its last owner died holding it: repairs what it left half done. Without it the next one to
   * lock gets `ERR_OWNER_DIED`.
   */
  readonly recover?: ((mapping: Mapping) => void) | undefined;
}

/** A lock that is held. */
export interface MutexGuard extends Disposable {
  /** Gives the lock back. @throws ERR_NOT_LOCKED when that has happened. */
  unlock(): void;
}

class Guard implements MutexGuard {
  #unlock: (() => void) | undefined;

  constructor(unlock: () => void) {
    this.#unlock = unlock;
  }

  unlock(): void {
    const unlock = this.#unlock;
    if (unlock === undefined) throw notLocked();
    this.#unlock = undefined;
    unlock();
  }

  [Symbol.dispose](): void {
    if (this.#unlock !== undefined) this.unlock();
  }
}

/**
 * A lock for threads and processes: 8 bytes of a shared mapping, zero when it is free. Locking and unlocking are one atomic operation
 * each while nobody else wants it.
 *
 * Its owner is a thread. When that one ends with the lock held, by whatever signal, exit or `terminate()`, the next one
 * is told. Its memory cannot be unmapped here while it is held.
 *
 * @example
 * ```ts
 * import { mmap } from 'mmap-native';
 * import { Mutex } from 'mmap-native/ipc';
 *
 * using table = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
 * const mutex = new Mutex(table, 0);
 * const guard = await mutex.lock();
 * table.view(Float64Array, 64, 8)[0] = 1.5;
 * guard.unlock();
 * console.log(table.view(Float64Array, 64, 8)[0]); // 1.5
 * ```
 */
export class Mutex {
  /** Bytes that it takes, on a multiple of 8. */
  static readonly BYTES: number = LOCK_BYTES;

  readonly #mapping: Mapping;
  readonly #words: Int32Array;
  readonly #word: RobustWord;
  readonly #recover: ((mapping: Mapping) => void) | undefined;
  readonly #line = new Line();
  readonly #unlock = (): void => {
    this.#word.release();
  };

  /**
   * @param mapping - shared and writable; its words are zero where no Mutex has been yet.
   * @param byteOffset - where in it, on a multiple of 8.
   * @throws ERR_INVALID_ARG_VALUE for memory that is not shared and writable; EAGAIN when there is no thread to be had.
   */
  constructor(mapping: Mapping, byteOffset: number, options: MutexOptions = {}) {
    const { recover } = options;
    rejectUnknown(options, ['recover']);
    if (recover !== undefined && typeof recover !== 'function')
      throw invalidArgType('options.recover', 'of type function', recover);
    const { words, offset } = checkPlace(mapping, byteOffset);
    this.#mapping = mapping;
    this.#words = words;
    this.#word = new RobustWord(words, 0, Mapping.handleOf(mapping), offset);
    this.#recover = recover;
  }

  /**
   * Locks it, and blocks until then.
   * @throws ERR_DEADLOCK when this thread holds it, ERR_TIMEOUT, ERR_OWNER_DIED.
   */
  lockSync(options?: TimeoutOptions): MutexGuard {
    if (options === undefined && this.#word.tryTake()) return new Guard(this.#unlock);
    const { timeout } = checkWait(options, ['timeout']);
    const left = countdown(timeout);
    for (;;) {
      const seen = this.#take();
      if (seen === TAKEN) return new Guard(this.#unlock);
      if ((seen & OWNER) === this.#word.owner) throw deadlock();
      if (waitSync(this.#words, 0, seen, left()) === 'timed-out') throw timedOut('lockSync()', timeout);
    }
  }

  /**
   * The promise of the lock. Tasks of one thread get it one after the other, in the order in which they asked.
   * @throws ERR_TIMEOUT, ERR_OWNER_DIED, and the reason of `signal`.
   */
  async lock(options?: WaitOptions): Promise<MutexGuard> {
    const { timeout, signal } = checkWait(options);
    signal?.throwIfAborted();
    const left = countdown(timeout);
    if (!(await this.#line.enter({ timeout, signal }))) throw timedOut('lock()', timeout);
    try {
      for (;;) {
        const seen = this.#take();
        if (seen === TAKEN) return new Guard(this.#unlock);
        const result = await wait(this.#words, 0, seen, { timeout: left(), signal });
        if (result === 'timed-out') throw timedOut('lock()', timeout);
      }
    } finally {
      this.#line.leave();
    }
  }

  /** Locks it if it is free, else returns null. @throws ERR_OWNER_DIED. */
  tryLock(): MutexGuard | null {
    if ((this.#word.value & OWNER) !== 0) return null;
    return this.#take() === TAKEN ? new Guard(this.#unlock) : null;
  }

  /**
   * After ERR_OWNER_DIED: calls `repair` with the lock held, and gives the lock back.
   * @returns false when there is nothing to repair: somebody else has.
   */
  recover(repair: (mapping: Mapping) => void): boolean {
    const { value } = this.#word;
    if ((value & OWNER_DIED) === 0 || (value & OWNER) !== 0) return false;
    const taken = this.#word.take(true);
    if (taken === TAKEN_FROM_DEAD) this.#repair(repair);
    if (taken === TAKEN_FROM_DEAD || taken === TAKEN) this.#word.release();
    return taken === TAKEN_FROM_DEAD;
  }

  /** TAKEN, or the value to sleep on. */
  #take(): number {
    const recover = this.#recover;
    const taken = this.#word.take(recover !== undefined);
    if (taken === OWNER_DIED) throw ownerDied();
    if (taken !== TAKEN_FROM_DEAD) return taken;
    this.#repair(recover);
    return TAKEN;
  }

  #repair(repair: ((mapping: Mapping) => void) | undefined): void {
    try {
      repair?.(this.#mapping);
    } catch (error) {
      // still not repaired: the next one has to know
      this.#word.releaseAsDead();
      throw error;
    }
  }
}
