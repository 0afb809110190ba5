import { invalidState } from '../errors.js';
import { arm, ring as ringBell } from './bell.js';
import { Knocker } from './doorbell.js';
import { closed, deadlock, peerDied, timedOut } from './errors.js';
import { CONSUMER_BELL, CONSUMER_LOCK, HEAD, PRODUCER_BELL, PRODUCER_LOCK, TAIL } from './layout.js';
import { Line } from './line.js';
import { countdown, type Limits } from './options.js';
import { type Kind, type PeerState, peerState, placesOf, Presence } from './presence.js';
import { MANY_CONSUMERS, MANY_PRODUCERS, type Ring } from './ring.js';
import { OWNER, RobustWord, TAKEN, TAKEN_FROM_DEAD } from './robust.js';
import { Waiter } from './waiter.js';

/** What an attempt returns: it is done; there is nothing to be done yet; or a lock's value to sleep on, which is negative. */
export const DONE = 0;
export const NOTHING = 1;

export type Attempt = () => number;

const SIDES = {
  producer: { other: 'consumer', bell: PRODUCER_BELL, others: CONSUMER_BELL, lock: PRODUCER_LOCK },
  consumer: { other: 'producer', bell: CONSUMER_BELL, others: PRODUCER_BELL, lock: CONSUMER_LOCK },
} as const;

/** How often a lock is looked at before it is slept on: it is held while a message is copied. */
const SPINS = 50;

/** What a producer and a consumer have in common: a place in the queue, and the waiting for the other side. */
export class End {
  readonly line: Line = new Line();
  /** Where the ring stood when the place was taken. */
  readonly start: { readonly head: number; readonly tail: number };
  readonly #ring: Ring;
  readonly #kind: Kind;
  readonly #peers: readonly number[];
  readonly #presence: Presence;
  readonly #waiter: Waiter;
  readonly #knocker: Knocker;
  /** Where there may be more ends of the kind. */
  readonly #lock: RobustWord | undefined;
  #closed = false;
  #index = 0;
  #expected = 0;

  constructor(ring: Ring, kind: Kind) {
    const many = { producer: (ring.shape & MANY_PRODUCERS) !== 0, consumer: (ring.shape & MANY_CONSUMERS) !== 0 };
    const { other, bell, lock } = SIDES[kind];
    this.#ring = ring;
    this.#kind = kind;
    this.#peers = placesOf(other, many[other]);
    this.#presence = Presence.claim(ring, kind, many[kind]);
    this.#waiter = new Waiter(ring.words, this.#presence.place, bell, this.#peers);
    this.#knocker = new Knocker(ring.words, this.#peers);
    this.#lock = many[kind] ? new RobustWord(ring.words, lock, ring.handle, lock * 4) : undefined;
    this.start = this.#positions();
    // who waits for an end that died looks again, and finds this one
    this.ring();
  }

  get closed(): boolean {
    return this.#closed;
  }

  get peer(): PeerState {
    return this.#closed ? 'none' : peerState(this.#ring.words, this.#peers);
  }

  checkOpen(): void {
    if (this.#closed) throw closed(`The ${this.#kind}`);
  }

  /** For blocking forms: what was asked for before has to come first. */
  checkIdle(): void {
    this.checkOpen();
    if (this.line.busy) throw invalidState('a promise of the same end is pending');
  }

  /** DONE when no other end of the kind does anything until `unlock()`; else the value to sleep on. */
  lock(): number {
    const lock = this.#lock;
    if (lock === undefined || lock.tryTake()) return DONE;
    for (let i = 0; i < SPINS; i++) if (lock.value === 0 && lock.tryTake()) return DONE;
    // an owner that died has left nothing half done: positions are stored last
    const seen = lock.take(true);
    if (seen === TAKEN || seen === TAKEN_FROM_DEAD) return DONE;
    if ((seen & OWNER) === lock.owner) throw deadlock();
    return seen;
  }

  unlock(): void {
    this.#lock?.release();
  }

  /** Tells the other side. */
  ring(): void {
    if (ringBell(this.#ring.words, SIDES[this.#kind].others)) this.#knocker.knock();
  }

  /** Attempts until it is done; false when the other side has ended. */
  untilSync(attempt: Attempt, timeout: number, what: string): boolean {
    const left = countdown(timeout);
    for (;;) {
      const done = this.#step(attempt);
      if (done !== undefined) return done;
      if (this.#waiter.sleep(this.#index, this.#expected, left()) === 'timed-out') throw timedOut(what, timeout);
    }
  }

  /** The same, when everything that was asked for before is done. */
  async until(attempt: Attempt, limits: Limits, what: string): Promise<boolean> {
    const { timeout, signal } = limits;
    signal?.throwIfAborted();
    const left = countdown(timeout);
    if (!(await this.line.enter(limits))) throw timedOut(what, timeout);
    try {
      for (;;) {
        this.checkOpen();
        const done = this.#step(attempt);
        if (done !== undefined) return done;
        const woken = await this.#waiter.wait(this.#index, this.#expected, { timeout: left(), signal });
        if (!woken) throw timedOut(what, timeout);
      }
    } finally {
      this.line.leave();
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#waiter.close();
    this.#presence.leave();
    this.#lock?.end();
    this.ring();
    this.#ring.close();
  }

  #positions(): { head: number; tail: number } {
    const { words } = this.#ring;
    const [head, tail] = [Atomics.load(words, HEAD), Atomics.load(words, TAIL)];
    // where there are more of the kind, both move, and are looked at again with the lock held
    if (this.#lock !== undefined) return { head, tail };
    try {
      this.#ring.distance(head, tail);
      this.#ring.distance(0, head & (this.#ring.bytes - 1));
      return { head, tail };
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** Undefined: sleep on the word at #index while it is #expected. */
  #step(attempt: Attempt): boolean | undefined {
    const { bell, other, lock } = SIDES[this.#kind];
    let result = attempt();
    if (result === NOTHING) {
      this.#index = bell;
      this.#expected = arm(this.#ring.words, bell);
      // first who is there, then the ring: what somebody left behind is found
      const peer = this.peer;
      result = attempt();
      if (result === NOTHING) {
        if (peer === 'died') throw peerDied(other);
        return peer === 'ended' ? false : undefined;
      }
    }
    if (result === DONE) return true;
    this.#index = lock;
    this.#expected = result;
    return undefined;
  }
}
