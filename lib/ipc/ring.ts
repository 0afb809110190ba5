import { Mapping } from '../mapping.js';
import { type Handle, native } from '../native.js';
import { Views } from '../views.js';
import { corrupt } from './errors.js';
import { CAPACITY, FRAME_HEAD, HEAD_BYTES, IDENTITY, MAGIC, MOST_RING_BYTES, SHAPE } from './layout.js';

/** Bytes before a ring: whole pages. */
export const headBytes: number = Math.max(HEAD_BYTES, native.pageSize);

/** The bytes of a ring that takes messages of up to `capacity` bytes. */
export const ringBytesFor = (capacity: number): number =>
  2 ** Math.ceil(Math.log2(Math.max(capacity + FRAME_HEAD, native.pageSize)));

/** The largest message of a ring. */
export const capacityOf = (ringBytes: number): number => ringBytes - FRAME_HEAD;

/** Whether a number that came from elsewhere can be the size of a ring. */
export const isRingBytes = (value: unknown): value is number =>
  typeof value === 'number' &&
  value >= native.pageSize &&
  value <= MOST_RING_BYTES &&
  Number.isInteger(Math.log2(value));

/** How many of each kind of end a queue may have: bits of its SHAPE. */
export const MANY_PRODUCERS = 1;
export const MANY_CONSUMERS = 2;

/**
 * One queue's memory, mapped for one end. Everybody else can write to it at any time: what is read from it is looked at before it is
 * used, and what is more than one number is copied first.
 */
export class Ring {
  readonly handle: Handle;
  readonly words: Int32Array;
  /** The ring, twice, for callbacks. */
  readonly data: Uint8Array;
  /** The same for copies, which engines make slowly of memory that is called shared. */
  readonly plain: Uint8Array;
  /** The same as words: where the length of a frame is. */
  readonly lengths: Int32Array;

  readonly bytes: number;
  readonly shape: number;

  constructor(memory: Mapping, byteOffset: number, bytes: number, shape: number) {
    this.bytes = bytes;
    this.shape = shape;
    this.handle = native.ipc.mapRing(Mapping.handleOf(memory), byteOffset, headBytes, bytes);
    const views = new Views(this.handle, 0, headBytes + 2 * bytes);
    this.words = views.view(Int32Array, 0, headBytes);
    // a buffer that says that others write to it, where there is one: docs/safety.md
    this.plain = views.view(Uint8Array, headBytes, 2 * bytes);
    this.data = native.hasSharedBuffers ? views.sharedView(Uint8Array, headBytes, 2 * bytes) : this.plain;
    this.lengths = new Int32Array(this.plain.buffer, this.plain.byteOffset, (2 * bytes) / 4);
  }

  /** For the first one: an empty queue. */
  format(): void {
    this.words[CAPACITY] = this.bytes;
    this.words[SHAPE] = this.shape;
    Atomics.store(this.words, IDENTITY, MAGIC);
  }

  /** For the others: is it what its handle says? */
  check(): void {
    const identity = Atomics.load(this.words, IDENTITY);
    if (identity !== MAGIC) throw corrupt('the version of the layout', identity);
    if (this.words[CAPACITY] !== this.bytes) throw corrupt('the size of the ring', this.words[CAPACITY]);
    if (this.words[SHAPE] !== this.shape) throw corrupt('the shape of the queue', this.words[SHAPE]);
  }

  /** How far `to` is ahead of `from`, both positions of this ring. */
  distance(from: number, to: number): number {
    const bytes = (to - from) >>> 0;
    if (bytes > this.bytes || (bytes & 7) !== 0) throw corrupt('the distance of two positions', bytes);
    return bytes;
  }

  close(): void {
    native.unmap(this.handle);
  }
}
