import { Duplex } from 'node:stream';
import { ReadableStream, WritableStream } from 'node:stream/web';
import { callbackify } from 'node:util';
import { type Channel } from './channel.js';
import { type Consumer } from './consumer.js';
import { type Producer } from './producer.js';

/** What `ReadableStream.pipeThrough()` takes. */
export interface StreamPair {
  /** What the other side sends. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What goes to the other side. */
  readonly writable: WritableStream<Uint8Array>;
}

/** A stream has bytes, not messages: a chunk that is too long goes in several. */
const writeAll = async (producer: Producer, chunk: Uint8Array, signal: AbortSignal | undefined): Promise<void> => {
  const most = producer.capacity;
  for (let from = 0; from < chunk.byteLength || from === 0; from += most)
    await producer.write(chunk.subarray(from, from + most), { signal });
};

/** A web stream of a consumer's messages; closes it when it is cancelled, and at the end. */
export const readableOf = (consumer: Consumer): ReadableStream<Uint8Array> =>
  new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const message = await consumer.read();
        if (message === undefined) {
          consumer.close();
          controller.close();
        } else {
          controller.enqueue(message);
        }
      },
      cancel() {
        consumer.close();
      },
    },
    { highWaterMark: 0 },
  );

/** A web stream into a producer, which ends with it. */
export const writableOf = (producer: Producer): WritableStream<Uint8Array> =>
  new WritableStream<Uint8Array>({
    write: (chunk, controller) => writeAll(producer, chunk, (controller as { signal?: AbortSignal }).signal),
    close() {
      producer.end();
    },
    abort() {
      producer.end();
    },
  });

/** Both ways of a channel as web streams. */
export const webStreamsOf = (channel: Channel): StreamPair => ({
  readable: readableOf(channel.in),
  writable: writableOf(channel.out),
});

const read = async (stream: Duplex, consumer: Consumer): Promise<void> => {
  try {
    stream.push((await consumer.read()) ?? null);
  } catch (error) {
    stream.destroy(error as Error);
  }
};

/** Both ways of a channel as a Node stream; the channel closes with it. */
export const duplexOf = (channel: Channel): Duplex =>
  new Duplex({
    read() {
      void read(this, channel.in);
    },
    write(chunk: Buffer, _encoding, callback) {
      callbackify(writeAll)(channel.out, chunk, undefined, callback);
    },
    final(callback) {
      channel.out.end();
      callback();
    },
    destroy(error, callback) {
      channel.close();
      callback(error);
    },
  });
