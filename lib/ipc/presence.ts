import { native } from '../native.js';
import { placeTaken } from './errors.js';
import { ARMED, CONSUMER_PLACES, LEFT, PLACE_WORDS, PLACES, PRODUCER_PLACES } from './layout.js';
import { type Ring } from './ring.js';
import { OWNER, OWNER_DIED, RobustWord, WAITERS } from './robust.js';

/** Who is, or was, at the other end: `'none'` has been there yet, `'ended'` after closing it, `'died'` without. */
export type PeerState = 'none' | 'alive' | 'ended' | 'died';

/** Both kinds of ends of a queue. */
export type Kind = 'producer' | 'consumer';

const FIRST: Readonly<Record<Kind, number>> = { producer: PRODUCER_PLACES, consumer: CONSUMER_PLACES };

/** The places of a kind, as indexes of their first words. */
export const placesOf = (kind: Kind, many: boolean): number[] =>
  Array.from({ length: many ? PLACES : 1 }, (_, i) => FIRST[kind] + i * PLACE_WORDS);

export const peerState = (words: Int32Array, places: readonly number[]): PeerState => {
  let state: PeerState = 'none';
  for (const place of places) {
    const value = Atomics.load(words, place);
    if ((value & OWNER) !== 0) return 'alive';
    if ((value & OWNER_DIED) !== 0) state = 'died';
    else if (state === 'none' && Atomics.load(words, place + LEFT) !== 0) state = 'ended';
  }
  return state;
};

/** How readily a place is taken: first those whose owners died, so that they are not reported any more. */
const rank = (words: Int32Array, place: number): number => {
  if ((Atomics.load(words, place) & OWNER_DIED) !== 0) return 0;
  return Atomics.load(words, place + LEFT) === 0 ? 2 : 1;
};

/** One end's place in a queue. */
export class Presence {
  readonly #words: Int32Array;
  readonly place: number;
  readonly #word: RobustWord;

  private constructor(words: Int32Array, place: number, word: RobustWord) {
    this.#words = words;
    this.place = place;
    this.#word = word;
  }

  /** @throws ERR_PLACE_TAKEN when none is free. */
  static claim(ring: Ring, kind: Kind, many: boolean): Presence {
    const { words } = ring;
    for (const place of placesOf(kind, many).toSorted((a, b) => rank(words, a) - rank(words, b))) {
      const seen = Atomics.load(words, place);
      if ((seen & OWNER) !== 0) continue;
      const word = new RobustWord(words, place, ring.handle, place * 4);
      // as if somebody always waited: the kernel then wakes whoever does
      if (Atomics.compareExchange(words, place, seen, WAITERS | word.owner) === seen) {
        Atomics.store(words, place + LEFT, 0);
        Atomics.store(words, place + ARMED, 0);
        return new Presence(words, place, word);
      }
      word.end();
    }
    throw placeTaken(`a ${kind}`);
  }

  leave(): void {
    Atomics.store(this.#words, this.place + LEFT, 1);
    native.ipc.clearAndWakeAll(this.#words, this.place);
    this.#word.end();
  }
}
