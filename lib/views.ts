import { constants } from 'node:buffer';
import { invalidArgType, invalidArgValue, tooLarge, unavailable } from './errors.js';
import { type Handle, native } from './native.js';
import { type CheckedRange, checkRange } from './range.js';

/** A constructor of views over a buffer: those of the typed arrays, DataView and Buffer. */
export interface ViewType<View> {
  /** `byteOffset` in bytes, `length` in elements: as all of these constructors take them. */
  new (buffer: ArrayBuffer, byteOffset?: number, length?: number): View;
  /** What tells TypeScript the type of the view. */
  readonly prototype: View;
}

/** The same over a SharedArrayBuffer. */
export interface SharedViewType<View> {
  /** `byteOffset` in bytes, `length` in elements. */
  new (buffer: SharedArrayBuffer, byteOffset?: number, length?: number): View;
  /** What tells TypeScript the type of the view. */
  readonly prototype: View;
}

/** A part of the mapping that has a buffer: bytes `from` to `to`, counted from the start of the first page. */
interface Window<B> {
  readonly buffer: B;
  readonly from: number;
  readonly to: number;
}

/** What view() was asked for the last time, and what it came to. */
interface LastView {
  readonly type: unknown;
  readonly offset: number;
  readonly length: number;
  readonly window: Window<ArrayBuffer>;
  readonly byteOffset: number;
  readonly elements: number;
}

/** Where a buffer begins: on 8 bytes, so that an element that is aligned in its buffer is aligned in memory. */
const WORD = 8;
const RANGE = ['offset', 'length'] as const;

/** That of any realm: jest and vm contexts have one of their own. */
const isDataView = (type: unknown): boolean =>
  type === DataView ||
  (typeof type === 'function' && Object.prototype.toString.call(type.prototype) === '[object DataView]');

const elementSize = (type: unknown): number => {
  const bytes = typeof type === 'function' ? (type as { BYTES_PER_ELEMENT?: unknown }).BYTES_PER_ELEMENT : undefined;
  if (type === Buffer || isDataView(type)) return 1;
  if (typeof bytes !== 'number') throw invalidArgType('Type', 'a typed array constructor, DataView or Buffer', type);
  return bytes;
};

/**
 * The buffers over one mapping. A buffer costs the garbage collector what it covers, so the whole one is made when it
 * is asked for, and a view gets a buffer of its own window; the last window is kept for the next view that fits.
 */
export class Views {
  readonly #handle: Handle;
  readonly #lead: number;
  readonly #length: number;
  #whole: Window<ArrayBuffer> | undefined;
  #window: Window<ArrayBuffer> | undefined;
  #shared: Window<SharedArrayBuffer> | undefined;
  #bytes: Buffer | undefined;
  #last: LastView | undefined;

  /** `lead` is where in its first page the mapping begins. */
  constructor(handle: Handle, lead: number, length: number) {
    this.#handle = handle;
    // an empty mapping has no page to begin in
    this.#lead = length === 0 ? 0 : lead;
    this.#length = length;
  }

  /** Over all of it, from the multiple of 8 at or before the first byte. */
  buffer(): ArrayBuffer {
    // the caller may have moved its memory away with transfer(): it is still mapped, and gets a new buffer
    if (this.#whole === undefined || (this.#whole.buffer.byteLength === 0 && this.#length > 0)) {
      this.#bytes = undefined;
      this.#whole = this.#make(0, this.#length, this.#create);
    }
    return this.#whole.buffer;
  }

  bytes(): Buffer {
    const buffer = this.buffer();
    this.#bytes ??= Buffer.from(buffer, this.#lead % WORD, this.#length);
    return this.#bytes;
  }

  view<View>(type: ViewType<View>, offset: unknown, length: unknown): View {
    const last = this.#last;
    // the same once more: all of it was checked, but the buffer may have been moved away
    if (last !== undefined && last.type === type && last.offset === offset && last.length === length) {
      const { buffer } = last.window;
      if (buffer.byteLength > 0) return new type(buffer, last.byteOffset, last.elements);
    }
    const range = this.#checkView(type, offset, length);
    const from = this.#lead + range.offset;
    const window = this.#windowOf(range);
    if (typeof offset === 'number' && typeof length === 'number' && (type as unknown) !== Buffer) {
      const elements = range.length / elementSize(type);
      this.#last = { type, offset, length, window, byteOffset: from - window.from, elements };
    }
    return this.#over(type, window, from, range.length);
  }

  #windowOf(range: CheckedRange): Window<ArrayBuffer> {
    const from = this.#lead + range.offset;
    const window = this.#whole ?? this.#window;
    const fits = window !== undefined && window.from <= from && from + range.length <= window.to;
    if (fits && window.buffer.byteLength > 0) return window;
    this.#window = this.#make(range.offset, range.length, this.#create);
    return this.#window;
  }

  sharedBuffer(): SharedArrayBuffer {
    this.#shared ??= this.#make(0, this.#length, this.#createShared);
    return this.#shared.buffer;
  }

  sharedView<View>(type: SharedViewType<View>, offset: unknown, length: unknown): View {
    const range = this.#checkView(type, offset, length);
    const from = this.#lead + range.offset;
    // it costs the collector nothing: one for all, unless the runtime has no buffer as large
    if (this.#length <= constants.MAX_LENGTH - WORD) this.sharedBuffer();
    const window = this.#shared ?? this.#make(range.offset, range.length, this.#createShared);
    return this.#over(type, window, from, range.length);
  }

  #checkView(type: unknown, offset: unknown, length: unknown): CheckedRange {
    const size = elementSize(type);
    const range = checkRange(offset, length, this.#length, RANGE);
    const { name } = type as { name: string };
    if ((this.#lead + range.offset) % size !== 0)
      throw invalidArgValue(
        'offset',
        `must lie on a multiple of ${size} bytes in memory for ${name}: use a DataView, or read()`,
        range.offset,
      );
    if (range.length % size !== 0)
      throw invalidArgValue('length', `must be a multiple of ${size} bytes for ${name}`, range.length);
    return range;
  }

  #over<B extends ArrayBufferLike, View>(
    type: new (buffer: B, byteOffset: number, length: number) => View,
    window: Window<B>,
    from: number,
    length: number,
  ): View {
    const elements = length / elementSize(type);
    const byteOffset = from - window.from;
    if ((type as unknown) === Buffer) return Buffer.from(window.buffer, byteOffset, length) as View;
    return new type(window.buffer, byteOffset, elements);
  }

  #make<B extends ArrayBufferLike>(
    offset: number,
    length: number,
    create: (from: number, length: number) => B,
  ): Window<B> {
    const to = this.#lead + offset + length;
    const from = this.#lead + offset - ((this.#lead + offset) % WORD);
    if (to - from > constants.MAX_LENGTH) throw tooLarge(to - from, constants.MAX_LENGTH);
    return { buffer: create(from, to - from), from, to };
  }

  readonly #create = (from: number, length: number): ArrayBuffer =>
    length === 0 ? new ArrayBuffer(0) : native.buffer(this.#handle, from, length);

  readonly #createShared = (from: number, length: number): SharedArrayBuffer => {
    if (!native.hasSharedBuffers)
      throw unavailable('A SharedArrayBuffer over a mapping', 'To share it with a worker use handle() and attach()');
    return length === 0 ? new SharedArrayBuffer(0) : native.sharedBuffer(this.#handle, from, length);
  };
}
