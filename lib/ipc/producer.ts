import { types } from 'node:util';
import { invalidArgType, invalidState } from '../errors.js';
import { toBytes } from '../range.js';
import { closed, corrupt, messageTooLarge } from './errors.js';
import { type Attempt, DONE, End, NOTHING } from './end.js';
import { FRAME_HEAD, frameBytes, HEAD, TAIL } from './layout.js';
import { checkWait, type Limits, type TimeoutOptions, type WaitOptions } from './options.js';
import { type PeerState } from './presence.js';
import { capacityOf, MANY_PRODUCERS, type Ring } from './ring.js';

/** A callback as it may turn out to be. */
export type Callback<T> = (argument: T) => unknown;

/** Refuses what a callback returns when it goes on later: the memory is not its own by then. */
export const refusePromise = (result: unknown, name: string): void => {
  if (result !== null && typeof result === 'object' && 'then' in result)
    throw invalidArgType(name, 'a function that returns no promise', result);
};

/** The end of a queue that messages go into. Made by `Queue.producer()`. */
export class Producer implements Disposable {
  readonly #end: End;
  readonly #ring: Ring;
  readonly #many: boolean;
  readonly #mask: number;
  readonly #most: number;
  /** Where the next frame goes, and up to where consumers are known to have read. */
  #tail: number;
  #head: number;
  #filling = false;
  #batching = false;

  /** @internal */
  constructor(ring: Ring) {
    this.#end = new End(ring, 'producer');
    this.#ring = ring;
    this.#many = (ring.shape & MANY_PRODUCERS) !== 0;
    this.#mask = ring.bytes - 1;
    this.#most = capacityOf(ring.bytes);
    this.#tail = this.#end.start.tail;
    this.#head = this.#end.start.head;
  }

  /** The longest message, in bytes. */
  get capacity(): number {
    return this.#most;
  }

  /** Who is at the other end: the consumers. */
  get peer(): PeerState {
    return this.#end.peer;
  }

  /**
   * Writes a message if there is room, and nobody else is writing just now.
   * @throws ERR_MESSAGE_TOO_LARGE, ERR_CLOSED.
   */
  tryWrite(message: Uint8Array): boolean {
    return !this.#end.line.busy && this.#write(message) === DONE;
  }

  /**
   * Has a message of `length` bytes written in place. It is there for others when `fill` has returned; when that throws, it never was.
   * @param fill - gets the memory, which is its own only until it returns. It must not wait.
   */
  tryWriteWith(length: number, fill: (memory: Uint8Array) => void): boolean {
    return !this.#end.line.busy && this.#fill(toBytes(length, 'length'), fill) === DONE;
  }

  /** Writes a message, and blocks until there is room. @throws ERR_PEER_DIED, ERR_TIMEOUT, ERR_MESSAGE_TOO_LARGE, ERR_CLOSED. */
  writeSync(message: Uint8Array, options?: TimeoutOptions): void {
    this.#end.checkIdle();
    if (options === undefined && this.#write(message) === DONE) return;
    const { timeout } = checkWait(options, ['timeout']);
    if (!this.#end.untilSync(() => this.#write(message), timeout, 'writeSync()')) throw closed('The consumer');
  }

  /**
   * Writes a message when there is room: messages go in the order in which they were given. Leave `message` as it is until the promise
   * is fulfilled. @throws ERR_PEER_DIED, ERR_TIMEOUT, ERR_MESSAGE_TOO_LARGE, ERR_CLOSED, and the reason of `signal`.
   */
  async write(message: Uint8Array, options?: WaitOptions): Promise<void> {
    this.#end.checkOpen();
    const checked = checkWait(options);
    checked.signal?.throwIfAborted();
    if (!this.#end.line.busy && this.#write(message) === DONE) return;
    await this.#until(() => this.#write(message), checked, 'write()');
  }

  /** Like `tryWriteWith()`, when there is room. */
  async writeWith(length: number, fill: (memory: Uint8Array) => void, options?: WaitOptions): Promise<void> {
    this.#end.checkOpen();
    const bytes = toBytes(length, 'length');
    const checked = checkWait(options);
    checked.signal?.throwIfAborted();
    if (!this.#end.line.busy && this.#fill(bytes, fill) === DONE) return;
    await this.#until(() => this.#fill(bytes, fill), checked, 'writeWith()');
  }

  /**
   * What `tryWrite()` and `tryWriteWith()` write in `write` is there for others all at once, when it returns; when it throws, it never was.
   * @throws ERR_TIMEOUT when another producer is writing for as long.
   */
  batch(write: (producer: this) => void, options?: TimeoutOptions): void {
    this.#end.checkIdle();
    const { timeout } = checkWait(options, ['timeout']);
    if (this.#batching || this.#filling) throw invalidState('a write of this producer has begun');
    this.#end.untilSync(() => this.#begin(), timeout, 'batch()');
    const tail = this.#tail;
    this.#batching = true;
    let whole = false;
    try {
      refusePromise((write as Callback<this>)(this), 'write');
      whole = true;
    } finally {
      this.#batching = false;
      if (!whole) this.#tail = tail;
      this.#publish();
    }
  }

  /** Closes this end. When it was the last, consumers read what is there, and then the end. */
  end(): void {
    if (this.#batching || this.#filling) throw invalidState('a write of this producer has begun');
    this.#end.close();
  }

  /** `using`: `end()`. */
  [Symbol.dispose](): void {
    this.end();
  }

  async #until(attempt: Attempt, limits: Limits, what: string): Promise<void> {
    if (!(await this.#end.until(attempt, limits, what))) throw closed('The consumer');
  }

  #write(message: Uint8Array): number {
    // one of another realm is asked for last: it takes longer than a small message
    if (!(message instanceof Uint8Array) && !types.isUint8Array(message))
      throw invalidArgType('message', 'an instance of Buffer or Uint8Array', message);
    const length = message.byteLength;
    const room = this.#reserve(length);
    if (room !== DONE) return room;
    const at = this.#tail & this.#mask;
    this.#ring.plain.set(message, at + FRAME_HEAD);
    this.#commit(at, length);
    return DONE;
  }

  #fill(length: number, fill: (memory: Uint8Array) => void): number {
    const room = this.#reserve(length);
    if (room !== DONE) return room;
    const at = this.#tail & this.#mask;
    const from = at + FRAME_HEAD;
    this.#filling = true;
    let whole = false;
    try {
      const result: unknown = (fill as Callback<Uint8Array>)(this.#ring.data.subarray(from, from + length));
      refusePromise(result, 'fill');
      whole = true;
    } finally {
      this.#filling = false;
      if (!whole && !this.#batching) this.#end.unlock();
    }
    this.#commit(at, length);
    return DONE;
  }

  /** No other producer writes from here to #publish(). */
  #begin(): number {
    if (!this.#many) return DONE;
    const locked = this.#end.lock();
    if (locked !== DONE) return locked;
    const tail = Atomics.load(this.#ring.words, TAIL);
    if ((tail & 7) === 0) {
      this.#tail = tail;
      return DONE;
    }
    this.#end.unlock();
    throw corrupt('the position of the producers', tail);
  }

  /** DONE when a frame for so many bytes fits at #tail. */
  #reserve(length: number): number {
    this.#end.checkOpen();
    if (length > this.#most) throw messageTooLarge(length, this.#most);
    if (this.#filling) throw invalidState('a write of this producer has begun');
    if (!this.#batching) {
      const begun = this.#begin();
      if (begun !== DONE) return begun;
    }
    let fits = false;
    try {
      fits = this.#fits(length);
    } finally {
      if (!fits && !this.#batching) this.#end.unlock();
    }
    return fits ? DONE : NOTHING;
  }

  #fits(length: number): boolean {
    const { bytes, words } = this.#ring;
    const wanted = frameBytes(length);
    const used = (this.#tail - this.#head) >>> 0;
    if (used <= bytes && wanted <= bytes - used) return true;
    this.#head = Atomics.load(words, HEAD);
    return wanted <= bytes - this.#ring.distance(this.#head, this.#tail);
  }

  #commit(at: number, length: number): void {
    this.#ring.lengths[at >> 2] = length;
    this.#tail = (this.#tail + frameBytes(length)) | 0;
    if (!this.#batching) this.#publish();
  }

  #publish(): void {
    Atomics.store(this.#ring.words, TAIL, this.#tail);
    if (this.#many) this.#end.unlock();
    this.#end.ring();
  }
}
