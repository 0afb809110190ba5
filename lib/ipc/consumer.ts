import { types } from 'node:util';
import { invalidArgType, invalidState, outOfRange } from '../errors.js';
import { corrupt } from './errors.js';
import { DONE, End, NOTHING } from './end.js';
import { FRAME_HEAD, frameBytes, HEAD, TAIL } from './layout.js';
import { checkWait, type TimeoutOptions, type WaitOptions } from './options.js';
import { type PeerState } from './presence.js';
import { type Callback, refusePromise } from './producer.js';
import { capacityOf, MANY_CONSUMERS, type Ring } from './ring.js';

/** Options of `readSync()`. */
export interface ReadSyncOptions extends TimeoutOptions {
  /** Where the message is to go; it must be long enough. Default: a new Buffer. */
  readonly into?: Uint8Array | undefined;
}

/** Options of `read()`. */
export interface ReadOptions extends WaitOptions, ReadSyncOptions {}

/** Gets a message where it lies: the memory is its own only until it returns, and it must not wait. */
export type Visit = (message: Uint8Array) => void;

const END: IteratorReturnResult<undefined> = { done: true, value: undefined };

/**
 * The end of a queue that messages come out of. Made by `Queue.consumer()`.
 *
 * A message is done with when it was copied, or when the callback that got it has returned. A consumer that dies before that leaves it to
 * the next one.
 */
export class Consumer implements Disposable, AsyncIterable<Buffer> {
  readonly #end: End;
  readonly #ring: Ring;
  readonly #many: boolean;
  readonly #mask: number;
  /** The next frame, and up to where producers are known to have written. */
  #head: number;
  #tail: number;
  #visiting = false;

  /** @internal */
  constructor(ring: Ring) {
    this.#end = new End(ring, 'consumer');
    this.#ring = ring;
    this.#many = (ring.shape & MANY_CONSUMERS) !== 0;
    this.#mask = ring.bytes - 1;
    this.#head = this.#end.start.head;
    this.#tail = this.#head;
  }

  /** The longest message, in bytes. */
  get capacity(): number {
    return capacityOf(this.#ring.bytes);
  }

  /** Who is at the other end: the producers. */
  get peer(): PeerState {
    return this.#end.peer;
  }

  /** Calls `visit` with a message if there is one. When it throws, the message stays. */
  tryRead(visit: Visit): boolean {
    return !this.#end.line.busy && this.#take(new Visitor(visit)) === DONE;
  }

  /**
   * Calls `visit` with each message that is there, and gives their room back in large pieces.
   * @param most - how many messages. Default: all.
   * @returns how many there were.
   */
  drain(visit: Visit, most: number = Infinity): number {
    if (this.#end.line.busy) return 0;
    const piece = this.#ring.bytes >>> 3;
    const visitor = new Visitor(visit);
    let count = 0;
    let owed = this.#head;
    try {
      while (count < most && this.#take(visitor, this.#many) === DONE) {
        count++;
        if (this.#many || (this.#head - owed) >>> 0 < piece) continue;
        this.#release();
        owed = this.#head;
      }
    } finally {
      if (!this.#many && owed !== this.#head) this.#release();
    }
    return count;
  }

  /**
   * A copy of the next message; blocks until there is one.
   * @returns undefined when producers have ended, and nothing is left.
   * @throws ERR_PEER_DIED when there is nothing left and the producer died, ERR_TIMEOUT, ERR_CORRUPT, ERR_CLOSED.
   */
  readSync(options?: ReadSyncOptions): Buffer | undefined {
    this.#end.checkIdle();
    const { timeout } = checkWait(options, ['timeout', 'into']);
    const copy = new Copy(options?.into);
    const attempt = (): number => this.#take(copy);
    if (attempt() !== DONE && !this.#end.untilSync(attempt, timeout, 'readSync()')) return undefined;
    return copy.message;
  }

  /** The promise of what `readSync()` returns. Reads are served in the order in which they were asked for. */
  async read(options?: ReadOptions): Promise<Buffer | undefined> {
    this.#end.checkOpen();
    const checked = checkWait(options, ['timeout', 'signal', 'into']);
    checked.signal?.throwIfAborted();
    const copy = new Copy(options?.into);
    const attempt = (): number => this.#take(copy);
    if (!this.#end.line.busy && attempt() === DONE) return copy.message;
    return (await this.#end.until(attempt, checked, 'read()')) ? copy.message : undefined;
  }

  /** Blocks until there is something to `drain()`. @returns as `readable()`. @throws as `readSync()`. */
  readableSync(options?: TimeoutOptions): boolean {
    this.#end.checkIdle();
    const { timeout } = checkWait(options, ['timeout']);
    return this.#end.untilSync(() => this.#look(), timeout, 'readableSync()');
  }

  /** Waits until there is something to `drain()`. @returns false when producers have ended, and nothing is left. */
  async readable(options?: WaitOptions): Promise<boolean> {
    this.#end.checkOpen();
    const checked = checkWait(options);
    return this.#end.until(() => this.#look(), checked, 'readable()');
  }

  /** Copies of all messages, up to the end. */
  [Symbol.asyncIterator](): AsyncIterator<Buffer, undefined> {
    const next = (): Promise<IteratorResult<Buffer, undefined>> => {
      const copy = new Copy(undefined);
      // what is there needs no turn of its own
      return this.#isReady(copy) ? Promise.resolve({ done: false, value: copy.message as Buffer }) : this.#next();
    };
    return { next, return: () => Promise.resolve(END) };
  }

  /** Closes this end. When it was the last, producers that wait for room are told. */
  close(): void {
    if (this.#visiting) throw invalidState('a read of this consumer has begun');
    this.#end.close();
  }

  /** `using`: `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  async #next(): Promise<IteratorResult<Buffer, undefined>> {
    const value = await this.read();
    return value === undefined ? END : { done: false, value };
  }

  #isReady(copy: Copy): boolean {
    try {
      return !this.#end.line.busy && this.#take(copy) === DONE;
    } catch {
      return false; // and read() rejects
    }
  }

  #look(): number {
    // in this order: consumers never pass producers, so where the two are equal nothing was there
    const head = Atomics.load(this.#ring.words, HEAD);
    return Atomics.load(this.#ring.words, TAIL) === head ? NOTHING : DONE;
  }

  #isEmpty(head: number): boolean {
    this.#tail = Atomics.load(this.#ring.words, TAIL);
    return this.#ring.distance(head, this.#tail) === 0;
  }

  /** Has the next frame taken, and then counts it as read. */
  #take(taker: Taker, release = true): number {
    this.#end.checkOpen();
    if (this.#visiting) throw invalidState('a read of this consumer has begun');
    if (!this.#many) return this.#takeNext(taker, release);
    const locked = this.#end.lock();
    if (locked !== DONE) return locked;
    try {
      this.#head = Atomics.load(this.#ring.words, HEAD);
      this.#tail = this.#head;
      return this.#takeNext(taker, release);
    } finally {
      this.#end.unlock();
    }
  }

  #takeNext(taker: Taker, release: boolean): number {
    const head = this.#head;
    if (head === this.#tail && this.#isEmpty(head)) return NOTHING;
    const at = head & this.#mask;
    const there = (this.#tail - head) >>> 0;
    const length = this.#ring.lengths[at >> 2] ?? 0;
    if (length < 0 || length > there - FRAME_HEAD) throw corrupt('the length of a message', length);
    this.#visiting = true;
    try {
      taker.take(this.#ring, at + FRAME_HEAD, length);
    } finally {
      this.#visiting = false;
    }
    this.#head = (head + frameBytes(length)) | 0;
    if (release) this.#release();
    return DONE;
  }

  #release(): void {
    Atomics.store(this.#ring.words, HEAD, this.#head);
    this.#end.ring();
  }
}

/** What becomes of a message. */
interface Taker {
  take(ring: Ring, at: number, length: number): void;
}

/** It is looked at where it lies. */
class Visitor implements Taker {
  readonly #visit: Callback<Uint8Array>;

  constructor(visit: Visit) {
    this.#visit = visit;
  }

  take(ring: Ring, at: number, length: number): void {
    refusePromise(this.#visit(ring.data.subarray(at, at + length)), 'visit');
  }
}

/** It is copied. */
class Copy implements Taker {
  message: Buffer | undefined;
  readonly #into: Uint8Array | undefined;

  constructor(into: unknown) {
    if (into !== undefined && !types.isUint8Array(into))
      throw invalidArgType('options.into', 'an instance of Buffer or Uint8Array', into);
    this.#into = into;
  }

  take(ring: Ring, at: number, length: number): void {
    const into = this.#into;
    if (into !== undefined && into.byteLength < length)
      throw outOfRange('options.into.byteLength', `>= ${length}, the length of the message`, into.byteLength);
    this.message = into === undefined ? Buffer.allocUnsafe(length) : Buffer.from(into.buffer, into.byteOffset, length);
    this.message.set(ring.plain.subarray(at, at + length));
  }
}
