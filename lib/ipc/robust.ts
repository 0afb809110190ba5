import { type Handle, type Hold, native } from '../native.js';
import { notLocked } from './errors.js';

/** As src/core/robust.h has them: the word is the kernel's, too. */
export const WAITERS: number = 0x80000000 | 0;
export const OWNER_DIED = 0x40000000;
export const OWNER = 0x3fffffff;

/** What `take()` returns, besides the value to sleep on, which is negative. */
export const TAKEN = 0;
export const TAKEN_FROM_DEAD = 1;

/**
 * A word that has an owner or none, and whose owner's death the kernel tells: a lock without waiting. It is 8 bytes, on a multiple of
 * 8. The owner is this thread, or rather its helper.
 */
export class RobustWord {
  readonly owner: number;
  readonly #words: Int32Array;
  readonly #index: number;
  /** Ends with this object: what it still owns then counts as an owner's death. */
  readonly #hold: Hold;

  /** @param byteOffset - of the same word, in the mapping. */
  constructor(words: Int32Array, index: number, handle: Handle, byteOffset: number) {
    this.#words = words;
    this.#index = index;
    this.#hold = native.ipc.newHold(handle, byteOffset);
    this.owner = native.ipc.ownerOf(this.#hold);
  }

  get value(): number {
    return Atomics.load(this.#words, this.#index);
  }

  /** Takes it if it is free and nobody waits: what it nearly always is. */
  tryTake(): boolean {
    return Atomics.compareExchange(this.#words, this.#index, 0, this.owner) === 0;
  }

  /**
   * TAKEN; TAKEN_FROM_DEAD, but OWNER_DIED and not taken where that is not wanted; or the value to sleep on, which by then says that
   * somebody does.
   */
  take(fromDead: boolean): number {
    const [words, index] = [this.#words, this.#index];
    for (;;) {
      const seen = Atomics.load(words, index);
      if ((seen & OWNER) === 0) {
        const died = (seen & OWNER_DIED) !== 0;
        if (died && !fromDead) return OWNER_DIED;
        // of those who wait for a dead owner the kernel wakes one: that there may be more is kept
        const mine = (seen & WAITERS) | this.owner;
        if (Atomics.compareExchange(words, index, seen, mine) === seen) return died ? TAKEN_FROM_DEAD : TAKEN;
      } else if ((seen & WAITERS) !== 0 || Atomics.compareExchange(words, index, seen, seen | WAITERS) === seen) {
        return seen | WAITERS;
      }
    }
  }

  /** @throws ERR_NOT_LOCKED when it is not ours. */
  release(): void {
    if (Atomics.compareExchange(this.#words, this.#index, this.owner, 0) === this.owner) return;
    if ((this.value & OWNER) !== this.owner) throw notLocked();
    // all who wait, not one: the one might be killed before it has the lock, and take its wake-up along
    native.ipc.clearAndWakeAll(this.#words, this.#index);
  }

  /** Gives it back as it was found: its owner died. */
  releaseAsDead(): void {
    Atomics.store(this.#words, this.#index, OWNER_DIED);
    native.ipc.wake(this.#words, this.#index, OWNER);
  }

  /** No owner any more; what it owns counts as an owner's death. */
  end(): void {
    native.ipc.endHold(this.#hold);
  }
}
