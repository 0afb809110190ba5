import { deserialize, serialize } from 'node:v8';
import { invalidArgType } from '../errors.js';
import { type MappingHandle } from '../handle.js';
import { type Mapping } from '../mapping.js';
import { mmap } from '../mmap.js';
import { oneOf, rejectUnknown } from '../checks.js';
import { Consumer } from './consumer.js';
import { closed } from './errors.js';
import { type WaitOptions } from './options.js';
import { type PeerState } from './presence.js';
import { Producer } from './producer.js';
import { attachMemory, checkCapacity } from './queue.js';
import { capacityOf, headBytes, Ring } from './ring.js';

/** Makes bytes of values, and values of bytes. */
export interface Codec {
  /** The bytes of a value. */
  encode(value: unknown): Uint8Array;
  /**
   * The value of bytes.
   * @param message - a copy: it is the codec's own.
   */
  decode(message: Buffer): unknown;
}

/** What a structured clone can carry: `v8.serialize()`. */
const STRUCTURED: Codec = { encode: serialize, decode: deserialize };

/** Options of `Channel.attach()`. */
export interface ChannelOptions {
  /** Of `send()` and `receive()`; the same on both sides. Default: `v8.serialize()` and `v8.deserialize()`. */
  readonly codec?: Codec | undefined;
}

/** Options of `Channel.create()`. */
export interface ChannelCreateOptions extends ChannelOptions {
  /** The longest message, in bytes, each way. Rounded up. Default: 1 MiB. */
  readonly capacity?: number | undefined;
}

/** What `Channel.handle()` returns: plain JSON. */
export interface ChannelHandle {
  /** The version of this form. */
  readonly v: 1;
  /** What it is a handle of. */
  readonly kind: 'channel';
  /** The memory that both rings are in. */
  readonly memory: MappingHandle;
  /** Bytes of each ring, a power of two. */
  readonly ringBytes: number;
  /** Whoever attaches gets this side. */
  readonly side: 0 | 1;
}

const MIB = 2 ** 20;

const checkCodec = (value: unknown): Codec => {
  if (value === undefined) return STRUCTURED;
  const { encode, decode } = (value ?? {}) as Partial<Codec>;
  if (typeof encode !== 'function' || typeof decode !== 'function')
    throw invalidArgType('options.codec', 'an object with the methods encode and decode', value);
  return value as Codec;
};

/**
 * Two queues between two threads or processes, one each way, with a place for one on each side: what `process.send()` and its
 * events do, through memory.
 *
 * @example
 * ```ts
 * import { Channel } from 'mmap-native/ipc';
 *
 * using here = Channel.create();
 * using there = Channel.attach(here.handle()); // in another thread or process, as a rule
 * await here.send({ question: 42 });
 * console.log(await there.receive()); // { question: 42 }
 * ```
 */
export class Channel implements Disposable {
  /** Bytes to the other side. */
  readonly out: Producer;
  /** Bytes from the other side. */
  readonly in: Consumer;
  readonly #memory: Mapping;
  readonly #ringBytes: number;
  readonly #side: 0 | 1;
  readonly #codec: Codec;

  private constructor(memory: Mapping, ringBytes: number, side: 0 | 1, codec: Codec, check: (ring: Ring) => void) {
    this.#memory = memory;
    this.#ringBytes = ringBytes;
    this.#side = side;
    this.#codec = codec;
    const rings = [0, 1].map((i) => new Ring(memory, i * (headBytes + ringBytes), ringBytes, 0));
    const [out, into] = (side === 0 ? rings : rings.toReversed()) as [Ring, Ring];
    let producer: Producer | undefined;
    try {
      rings.forEach(check);
      producer = new Producer(out);
      this.in = new Consumer(into);
    } catch (error) {
      producer?.end();
      for (const ring of rings) ring.close();
      throw error;
    }
    this.out = producer;
  }

  /** Makes a channel in new memory, and takes one side of it. */
  static create(options: ChannelCreateOptions = {}): Channel {
    const ringBytes = checkCapacity(options.capacity ?? MIB);
    const codec = checkCodec(options.codec);
    rejectUnknown(options, ['capacity', 'codec']);
    const length = 2 * (headBytes + ringBytes);
    const memory = mmap({ backing: 'anonymous', sharing: 'shared', length });
    return new Channel(memory, ringBytes, 0, codec, (ring) => {
      ring.format();
    });
  }

  /**
   * Takes the other side of a channel, by what its `handle()` returned.
   * @throws as `attach()` does; ERR_PLACE_TAKEN when somebody has that side; ERR_CORRUPT.
   */
  static attach(handle: ChannelHandle, options: ChannelOptions = {}): Channel {
    const codec = checkCodec(options.codec);
    rejectUnknown(options, ['codec']);
    const { memory, ringBytes } = attachMemory(handle, 'channel', 2);
    try {
      const side = oneOf(handle.side, [0, 1] as const, 'handle.side');
      rejectUnknown(handle, ['v', 'kind', 'memory', 'ringBytes', 'side'], 'handle');
      return new Channel(memory, ringBytes, side, codec, (ring) => {
        ring.check();
      });
    } catch (error) {
      memory.unmapSync();
      throw error;
    }
  }

  /** The longest message, in bytes. */
  get capacity(): number {
    return capacityOf(this.#ringBytes);
  }

  /** Who is at the other side. */
  get peer(): PeerState {
    return this.in.peer;
  }

  /** For the other side to attach; this side must be open until it has. As `Mapping.handle()`. */
  handle(options?: { readonly inheritedFd?: number | undefined }): ChannelHandle {
    const memory = this.#memory.handle(options);
    return { v: 1, kind: 'channel', memory, ringBytes: this.#ringBytes, side: this.#side === 0 ? 1 : 0 };
  }

  /** Sends a value, when there is room. @throws as `Producer.write()`. */
  async send(value: unknown, options?: WaitOptions): Promise<void> {
    await this.out.write(this.#codec.encode(value), options);
  }

  /** Sends a value if there is room. */
  trySend(value: unknown): boolean {
    return this.out.tryWrite(this.#codec.encode(value));
  }

  /** The next value. @throws ERR_CLOSED when the other side has ended, and as `Consumer.read()`. */
  async receive(options?: WaitOptions): Promise<unknown> {
    const message = await this.in.read(options);
    if (message === undefined) throw closed('The other side of the channel');
    return this.#codec.decode(message);
  }

  /** All values, until the other side ends. */
  async *values(): AsyncGenerator<unknown, void, undefined> {
    for await (const message of this.in) yield this.#codec.decode(message);
  }

  /** Closes both ways. The other side reads what is there, and then the end. */
  close(): void {
    this.out.end();
    this.in.close();
    this.#memory.unmapSync();
  }

  /** `using`: `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }
}
