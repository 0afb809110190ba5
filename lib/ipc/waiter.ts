import { type WaitOptions } from './options.js';
import { OWNER } from './robust.js';
import { awaken, rest, unwatch, watch } from './watches.js';
import { LONGEST_TIMER, sleep, type WaitResult } from './words.js';

/** Sleeps on a word until it changes, or one of the peers does. */
export class Waiter {
  readonly #words: Int32Array;
  readonly #peers: readonly number[];
  readonly #pairs: Int32Array;
  /** The watches of peers that live: they stay from one wait to the next. */
  readonly #watched = new Map<number, { value: number; id: number }>();
  #wake: ((error?: Error) => void) | undefined;

  constructor(words: Int32Array, peers: readonly number[]) {
    this.#words = words;
    this.#peers = peers;
    this.#pairs = new Int32Array(2 * (peers.length + 1));
  }

  sleep(index: number, expected: number, timeout: number): WaitResult {
    const pairs = this.#pairs;
    pairs[0] = index;
    pairs[1] = expected;
    let count = 1;
    for (const peer of this.#peers) {
      const value = Atomics.load(this.#words, peer);
      if ((value & OWNER) === 0) continue;
      pairs[2 * count] = peer;
      pairs[2 * count + 1] = value;
      count++;
    }
    return sleep(this.#words, pairs, count, timeout);
  }

  /** False when the time is over. One at a time. */
  wait(index: number, expected: number, { timeout = Infinity, signal }: WaitOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (settle: () => void): void => {
        this.#wake = undefined;
        unwatch(id);
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        rest();
        settle();
      };
      const onAbort = (): void => end(() => reject(signal?.reason as Error));
      this.#watchPeers();
      const wake = (error?: Error): void => end(() => (error === undefined ? resolve(true) : reject(error)));
      const id = watch(this.#words, index, expected, wake);
      this.#wake = wake;
      awaken();
      signal?.addEventListener('abort', onAbort);
      if (timeout <= LONGEST_TIMER) timer = setTimeout(() => end(() => resolve(false)), timeout);
    });
  }

  close(): void {
    for (const { id } of this.#watched.values()) unwatch(id);
    this.#watched.clear();
    this.#wake?.();
  }

  #watchPeers(): void {
    for (const peer of this.#peers) {
      const value = Atomics.load(this.#words, peer);
      const before = this.#watched.get(peer);
      if ((value & OWNER) === 0 || before?.value === value) continue;
      if (before !== undefined) unwatch(before.id);
      const id = watch(this.#words, peer, value, (error) => {
        this.#watched.delete(peer);
        this.#wake?.(error);
      });
      this.#watched.set(peer, { value, id });
    }
  }
}
