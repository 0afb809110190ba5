import { native } from '../native.js';

/**
 * A bell is a word that tells of a change. It is odd while somebody may sleep on it.
 *
 * Who waits: `key = arm()`, look again at what it waits for, sleep while the word is `key`. Who changes: change, then `ring()`. Both
 * sides' operations are in one total order, so either the one sees the change or the other sees the bell armed.
 */

/** The key to sleep on. */
export const arm = (words: Int32Array, bell: number): number => {
  for (;;) {
    const seen = Atomics.load(words, bell);
    if ((seen & 1) !== 0) return seen;
    if (Atomics.compareExchange(words, bell, seen, (seen + 1) | 0) === seen) return (seen + 1) | 0;
  }
};

/**
 * Wakes all who sleep. When two ring at once the word stays odd with nobody there: the next ring is for nothing, and none is lost.
 */
export const ring = (words: Int32Array, bell: number): boolean => {
  if ((Atomics.load(words, bell) & 1) === 0) return false;
  native.ipc.addAndWakeAll(words, bell, 1);
  return true;
};
