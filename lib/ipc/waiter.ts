import { hangOut, listen, unlisten } from './doorbell.js';
import { ARMED, UNHEARD } from './layout.js';
import { type Limits } from './options.js';
import { pause } from './pause.js';
import { OWNER } from './robust.js';
import { awaken, rest, unwatch, watch } from './watches.js';
import { sleep, type WaitResult } from './words.js';

type Wake = (error?: Error) => void;

/** Sleeps on a word until it changes, or one of the peers does. */
export class Waiter {
  readonly #words: Int32Array;
  readonly #place: number;
  readonly #bell: number;
  readonly #peers: readonly number[];
  readonly #pairs: Int32Array;
  /** The watches that stay from one wait to the next, by word: of peers that live, and of our own UNHEARD. */
  readonly #watched = new Map<number, { value: number; id: number }>();
  /** Whether others can knock. Undefined: they were not told where yet. */
  #door: boolean | undefined;
  #wake: Wake | undefined;

  /**
   * @param place - our own.
   * @param bell - the word that is rung for us.
   * @param peers - the places of the others.
   */
  constructor(words: Int32Array, place: number, bell: number, peers: readonly number[]) {
    this.#words = words;
    this.#place = place;
    this.#bell = bell;
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
    let stop: (() => void) | undefined;
    awaken();
    try {
      return await pause(limits, false, ({ resolve, reject }) => {
        this.#wake = (error) => {
          if (error === undefined) resolve(true);
          else reject(error);
        };
        this.#watchPeers();
        this.#door ??= this.#openDoor();
        const atDoor = this.#door && index === this.#bell;
        stop = atDoor ? this.#listen(index, expected) : this.#watch(index, expected);
        return () => true;
      });
    } finally {
      stop?.();
      this.#wake = undefined;
      rest();
    }
  }

  close(): void {
    for (const { id } of this.#watched.values()) unwatch(id);
    this.#watched.clear();
    this.#wake?.();
  }

  /** By the helper. */
  #watch(index: number, expected: number): () => void {
    let fired = false;
    const id = watch(this.#words, index, expected, (error) => {
      fired = true;
      this.#wake?.(error);
    });
    return () => {
      if (!fired) unwatch(id);
    };
  }

  /**
   * At the doorbell. Who rings changes the word first, and then looks whether we want a knock. A knock may be a late one, for an earlier
   * ring: then we want another.
   */
  #listen(index: number, expected: number): () => void {
    const words = this.#words;
    const armed = this.#place + ARMED;
    const look = (): void => {
      Atomics.store(words, armed, 1);
      if (Atomics.load(words, index) !== expected) this.#wake?.();
    };
    listen(look);
    look();
    return () => {
      unlisten(look);
    };
  }

  #openDoor(): boolean {
    if (!hangOut(this.#words, this.#place)) return false;
    this.#stay(this.#place + UNHEARD, Atomics.load(this.#words, this.#place + UNHEARD), () => {
      this.#door = false;
    });
    return true;
  }

  #watchPeers(): void {
    for (const peer of this.#peers) {
      const value = Atomics.load(this.#words, peer);
      const before = this.#watched.get(peer);
      if ((value & OWNER) === 0 || before?.value === value) continue;
      if (before !== undefined) unwatch(before.id);
      this.#stay(peer, value, () => undefined);
    }
  }

  #stay(index: number, value: number, then: () => void): void {
    const id = watch(this.#words, index, value, (error) => {
      this.#watched.delete(index);
      then();
      this.#wake?.(error);
    });
    this.#watched.set(index, { value, id });
  }
}
