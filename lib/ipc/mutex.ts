import { invalidArgType } from '../errors.js';
import { Mapping } from '../mapping.js';
import { type Hold, native } from '../native.js';
import { rejectUnknown } from '../options.js';
import { deadlock, notLocked, ownerDied, timedOut } from './errors.js';
import { Line } from './line.js';
import { checkWait, countdown, type TimeoutOptions, type WaitOptions } from './options.js';
import { checkPlace, LOCK_BYTES } from './place.js';
import { wait, waitSync } from './words.js';

/** As src/core/robust.h has them: the word is the kernel's, too. */
const WAITERS = 0x80000000 | 0;
const OWNER_DIED = 0x40000000;
const OWNER = 0x3fffffff;
const TAKEN = 0;

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
 */
export class Mutex {
  /** Bytes that it takes, on a multiple of 8. */
  static readonly BYTES = LOCK_BYTES;

  readonly #mapping: Mapping;
  readonly #words: Int32Array;
  /** Ends with this object: what it still holds then counts as an owner's death. */
  readonly #hold: Hold;
  readonly #owner: number;
  readonly #recover: ((mapping: Mapping) => void) | undefined;
  readonly #line = new Line();
  readonly #unlock = (): void => this.#release();

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
    this.#words = words;
    this.#mapping = mapping;
    this.#recover = recover;
    this.#hold = native.ipc.newHold(Mapping.handleOf(mapping), offset);
    this.#owner = native.ipc.ownerOf(this.#hold);
  }

  /**
   * Locks it, and blocks until then.
   * @throws ERR_DEADLOCK when this thread holds it, ERR_TIMEOUT, ERR_OWNER_DIED.
   */
  lockSync(options?: TimeoutOptions): MutexGuard {
    if (options === undefined && Atomics.compareExchange(this.#words, 0, 0, this.#owner) === 0)
      return new Guard(this.#unlock);
    const { timeout } = checkWait(options, ['timeout']);
    const left = countdown(timeout);
    for (;;) {
      const seen = this.#take();
      if (seen === TAKEN) return new Guard(this.#unlock);
      if ((seen & OWNER) === this.#owner) throw deadlock();
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
    const seen = Atomics.load(this.#words, 0);
    if ((seen & OWNER) !== 0) return null;
    return this.#take() === TAKEN ? new Guard(this.#unlock) : null;
  }

  /**
   * After ERR_OWNER_DIED: calls `repair` with the lock held, and gives the lock back.
   * @returns false when there is nothing to repair: somebody else has.
   */
  recover(repair: (mapping: Mapping) => void): boolean {
    const seen = Atomics.load(this.#words, 0);
    if ((seen & OWNER_DIED) === 0 || !this.#takeDied(seen)) return false;
    this.#repair(repair);
    this.#release();
    return true;
  }

  /** TAKEN, or the value to sleep on, which says by then that somebody does. */
  #take(): number {
    const words = this.#words;
    for (;;) {
      const seen = Atomics.load(words, 0);
      if ((seen & OWNER_DIED) !== 0) {
        if (this.#recover === undefined) throw ownerDied();
        if (!this.#takeDied(seen)) continue;
        this.#repair(this.#recover);
        return TAKEN;
      }
      if ((seen & OWNER) === 0) {
        if (Atomics.compareExchange(words, 0, seen, (seen & WAITERS) | this.#owner) === seen) return TAKEN;
      } else if ((seen & WAITERS) !== 0 || Atomics.compareExchange(words, 0, seen, seen | WAITERS) === seen) {
        return seen | WAITERS;
      }
    }
  }

  /** The kernel has woken one of those who wait: that there may be more is kept. */
  #takeDied(seen: number): boolean {
    return Atomics.compareExchange(this.#words, 0, seen, (seen & WAITERS) | this.#owner) === seen;
  }

  #repair(repair: (mapping: Mapping) => void): void {
    try {
      repair(this.#mapping);
    } catch (error) {
      // still not repaired: the next one has to know
      Atomics.store(this.#words, 0, OWNER_DIED);
      native.ipc.wake(this.#words, 0, OWNER);
      throw error;
    }
  }

  #release(): void {
    const words = this.#words;
    if (Atomics.compareExchange(words, 0, this.#owner, 0) === this.#owner) return;
    if ((Atomics.load(words, 0) & OWNER) !== this.#owner) throw notLocked();
    // all of them, not one: the one might be killed before it has the lock, and take its wake-up along
    native.ipc.clearAndWakeAll(words, 0);
  }
}
