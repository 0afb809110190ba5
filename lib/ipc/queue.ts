import { attach } from '../attach.js';
import { invalidArgType, invalidArgValue, outOfRange } from '../errors.js';
import { type MappingHandle } from '../handle.js';
import { type Mapping } from '../mapping.js';
import { mmap } from '../mmap.js';
import { oneOf, rejectUnknown } from '../checks.js';
import { toBytes } from '../range.js';
import { Consumer } from './consumer.js';
import { MOST_RING_BYTES } from './layout.js';
import { Producer } from './producer.js';
import { capacityOf, headBytes, isRingBytes, MANY_CONSUMERS, MANY_PRODUCERS, Ring, ringBytesFor } from './ring.js';

const COUNTS = ['one', 'many'] as const;
type Count = (typeof COUNTS)[number];

/** Options of `Queue.create()`. */
export interface QueueOptions {
  /** The longest message, in bytes; the ring has room for at least one of them. Rounded up. */
  readonly capacity: number;
  /** How many producers there may be at a time. `'one'` is faster. Default: `'one'`. */
  readonly producers?: Count | undefined;
  /** How many consumers. Each message goes to one of them. Default: `'one'`. */
  readonly consumers?: Count | undefined;
}

/** What `Queue.handle()` returns: plain JSON. */
export interface QueueHandle {
  /** The version of this form. */
  readonly v: 1;
  /** What it is a handle of. */
  readonly kind: 'queue';
  /** The memory that the queue is in. */
  readonly memory: MappingHandle;
  /** Bytes of its ring, a power of two. */
  readonly ringBytes: number;
  /** As in `QueueOptions`. */
  readonly producers: Count;
  /** As in `QueueOptions`. */
  readonly consumers: Count;
}

/** A number of bytes that a ring can be made for. */
export const checkCapacity = (value: unknown): number => {
  const capacity = toBytes(value, 'options.capacity');
  if (capacity > capacityOf(MOST_RING_BYTES))
    throw outOfRange('options.capacity', `>= 0 && <= ${capacityOf(MOST_RING_BYTES)}`, value);
  return ringBytesFor(capacity);
};

/** The memory of rings, joined by a handle that may come from anywhere. */
export const attachMemory = (handle: unknown, kind: string, rings: number): { memory: Mapping; ringBytes: number } => {
  if (handle === null || typeof handle !== 'object') throw invalidArgType('handle', 'of type object', handle);
  const given = handle as Record<string, unknown>;
  oneOf(given['v'], [1], 'handle.v');
  oneOf(given['kind'], [kind], 'handle.kind');
  const { ringBytes } = given;
  if (!isRingBytes(ringBytes)) throw invalidArgValue('handle.ringBytes', 'must be the size of a ring', ringBytes);
  const memory = attach(given['memory'] as MappingHandle);
  if (memory.length === rings * (headBytes + ringBytes) && memory.access === 'readwrite') return { memory, ringBytes };
  memory.unmapSync();
  throw invalidArgValue('handle.memory', 'must be the memory of such a queue', given['memory']);
};

/**
 * A queue of messages between threads and processes, one way. A message is there for others when it is complete, in order for each
 * producer, and goes to one consumer; again to the next one, if that one died before it was done with it.
 *
 * @example
 * ```ts
 * import { Queue } from 'mmap-native/ipc';
 *
 * using queue = Queue.create({ capacity: 1024 });
 * using producer = queue.producer();
 * using consumer = Queue.attach(queue.handle()).consumer(); // in another thread or process, as a rule
 * await producer.write(Buffer.from('first'));
 * console.log((await consumer.read())?.toString()); // first
 * ```
 */
export class Queue implements Disposable {
  readonly #memory: Mapping;
  readonly #ringBytes: number;
  readonly #shape: number;

  private constructor(memory: Mapping, ringBytes: number, shape: number) {
    this.#memory = memory;
    this.#ringBytes = ringBytes;
    this.#shape = shape;
  }

  /** Makes a queue in new memory. */
  static create(options: QueueOptions): Queue {
    if (options === null || typeof options !== 'object') throw invalidArgType('options', 'of type object', options);
    const ringBytes = checkCapacity(options.capacity);
    const producers = oneOf(options.producers ?? 'one', COUNTS, 'options.producers');
    const consumers = oneOf(options.consumers ?? 'one', COUNTS, 'options.consumers');
    rejectUnknown(options, ['capacity', 'producers', 'consumers']);
    const shape = shapeOf(producers, consumers);
    const memory = mmap({ backing: 'anonymous', sharing: 'shared', length: headBytes + ringBytes });
    const queue = new Queue(memory, ringBytes, shape);
    queue.#withRing((ring) => {
      ring.format();
    });
    return queue;
  }

  /**
   * Joins a queue of another thread or process, by what its `handle()` returned.
   * @throws as `attach()` does; ERR_CORRUPT when the memory is not, or no longer, that of such a queue.
   */
  static attach(handle: QueueHandle): Queue {
    const { memory, ringBytes } = attachMemory(handle, 'queue', 1);
    try {
      const producers = oneOf(handle.producers, COUNTS, 'handle.producers');
      const consumers = oneOf(handle.consumers, COUNTS, 'handle.consumers');
      rejectUnknown(handle, ['v', 'kind', 'memory', 'ringBytes', 'producers', 'consumers'], 'handle');
      const queue = new Queue(memory, ringBytes, shapeOf(producers, consumers));
      queue.#withRing((ring) => {
        ring.check();
      });
      return queue;
    } catch (error) {
      memory.unmapSync();
      throw error;
    }
  }

  /** The longest message, in bytes. */
  get capacity(): number {
    return capacityOf(this.#ringBytes);
  }

  /** For others to attach; this queue, or another that has attached, must be open until they have. As `Mapping.handle()`. */
  handle(options?: { readonly inheritedFd?: number | undefined }): QueueHandle {
    const memory = this.#memory.handle(options);
    const producers = COUNTS[this.#shape & MANY_PRODUCERS ? 1 : 0];
    const consumers = COUNTS[this.#shape & MANY_CONSUMERS ? 1 : 0];
    return { v: 1, kind: 'queue', memory, ringBytes: this.#ringBytes, producers, consumers };
  }

  /** A new end for writing. @throws ERR_PLACE_TAKEN when there are as many as there may be. */
  producer(): Producer {
    return this.#open(Producer);
  }

  /** A new end for reading. @throws ERR_PLACE_TAKEN. */
  consumer(): Consumer {
    return this.#open(Consumer);
  }

  /** Lets go of the memory. Ends that were made stay open. */
  close(): void {
    this.#memory.unmapSync();
  }

  /** `using`: `close()`. */
  [Symbol.dispose](): void {
    this.close();
  }

  #open<E>(EndType: new (ring: Ring) => E): E {
    return openEnd(this.#ring(), EndType);
  }

  #ring(): Ring {
    return new Ring(this.#memory, 0, this.#ringBytes, this.#shape);
  }

  #withRing(use: (ring: Ring) => void): void {
    const ring = this.#ring();
    try {
      use(ring);
    } finally {
      ring.close();
    }
  }
}

const shapeOf = (producers: Count, consumers: Count): number =>
  (producers === 'many' ? MANY_PRODUCERS : 0) | (consumers === 'many' ? MANY_CONSUMERS : 0);

/** An end of a ring that is its own from here on. */
const openEnd = <E>(ring: Ring, EndType: new (ring: Ring) => E): E => {
  try {
    return new EndType(ring);
  } catch (error) {
    ring.close();
    throw error;
  }
};
