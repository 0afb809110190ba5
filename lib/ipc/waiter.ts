import { type Limits } from './options.js';
import { pause } from './pause.js';
import { OWNER } from './robust.js';
import { awaken, rest, unwatch, watch } from './watches.js';
import { sleep, type WaitResult } from './words.js';

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
  async wait(index: number, expected: number, limits: Limits): Promise<boolean> {
    let id: number | undefined;
    this.#watchPeers();
    awaken();
    try {
      return await pause(limits, false, ({ resolve, reject }) => {
        this.#wake = (error) => {
          if (error === undefined) resolve(true);
          else reject(error);
        };
        id = watch(this.#words, index, expected, (error) => {
          id = undefined;
          this.#wake?.(error);
        });
        return () => true;
      });
    } finally {
      if (id !== undefined) unwatch(id);
      this.#wake = undefined;
      rest();
    }
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
