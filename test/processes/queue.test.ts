import { describe, expect, test, vi } from 'vitest';
import { Channel, type ChannelHandle, type Consumer, Queue } from '../../lib/ipc/index.js';
import { native } from '../../lib/native.js';
import { start, type Tools } from './support.js';

const coded = (code: string): unknown => expect.objectContaining({ code });
const text = (message: Uint8Array | undefined): string | undefined =>
  message === undefined ? undefined : Buffer.from(message).toString();
const drainTexts = (consumer: Consumer): (string | undefined)[] => {
  const texts: (string | undefined)[] = [];
  consumer.drain((message) => texts.push(text(message)));
  return texts;
};

/** Looks like a callback, and goes on afterwards. */
const later = (() => Promise.resolve()) as () => void;

type Data = { handle: ReturnType<Queue['handle']>; id: number; count: number; way: 'sync' | 'async' };

/** A message is its producer, its number, and as many bytes of the number as the number says. */
const produce = async ({ ipc, data, report, late }: Tools<Data>): Promise<void> => {
  const producer = ipc.Queue.attach(data.handle).producer();
  report('ready');
  for (let i = 0; i < data.count; i++) {
    const message = Buffer.alloc(8 + (i % 500), i);
    message.writeUInt32LE(data.id, 0);
    message.writeUInt32LE(i, 4);
    if (data.way === 'sync') producer.writeSync(message);
    else await producer.write(message);
  }
  producer.end();
  report(late());
};

const consume = async ({ ipc, data, report, late }: Tools<Data>): Promise<void> => {
  const consumer = ipc.Queue.attach(data.handle).consumer();
  report('ready');
  const numbers: [number, number][] = [];
  const check = (message: Uint8Array): void => {
    const { buffer, byteOffset, byteLength } = message;
    const view = new DataView(buffer, byteOffset, byteLength);
    const i = view.getUint32(4, true);
    const whole = byteLength === 8 + (i % 500) && message.subarray(8).every((byte) => byte === (i & 255));
    numbers.push([view.getUint32(0, true), whole ? i : -1]);
  };
  if (data.way === 'sync') for (let m = consumer.readSync(); m !== undefined; m = consumer.readSync()) check(m);
  else if (data.way === 'async') for await (const message of consumer) check(message);
  else if (data.way === 'drain') while (await consumer.readable()) consumer.drain(check);
  else while (consumer.readableSync()) consumer.drain(check);
  report(numbers);
  report(late());
};

describe('in one thread', () => {
  test('messages of every length from 0 to the capacity come out as they went in, all round the ring', () => {
    using queue = Queue.create({ capacity: 4000 });
    using producer = queue.producer();
    using consumer = queue.consumer();
    expect(queue.capacity).toBe(4088);
    const message = Buffer.from(Array.from({ length: 4088 }, (_, i) => (i * 7) & 255));
    for (let length = 0; length <= 4088; length += length < 64 ? 1 : 37) {
      producer.writeSync(message.subarray(0, length));
      expect(consumer.readSync()).toEqual(message.subarray(0, length));
    }
    expect(producer.tryWrite(message)).toBe(true);
    expect(producer.tryWrite(Buffer.alloc(0))).toBe(false);
    expect(consumer.readSync({ into: Buffer.alloc(5000) })).toEqual(message);
    expect(() => producer.tryWrite(Buffer.alloc(4089))).toThrow(coded('ERR_MESSAGE_TOO_LARGE'));
  });

  test('what is written in place is there when the callback has returned, and was never when it throws', () => {
    using queue = Queue.create({ capacity: 100 });
    using producer = queue.producer();
    using consumer = queue.consumer();
    const fill = (memory: Uint8Array): void => {
      expect(memory.byteLength).toBe(3);
      expect(consumer.drain(() => undefined)).toBe(0);
      memory.set(Buffer.from('abc'));
    };
    expect(producer.tryWriteWith(3, fill)).toBe(true);
    const failing = (): void => {
      throw new Error('cannot');
    };
    expect(() => producer.tryWriteWith(3, failing)).toThrow('cannot');
    expect(() => producer.tryWriteWith(3, later)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(() => producer.tryWriteWith(3, () => void producer.tryWrite(Buffer.alloc(1)))).toThrow(
      coded('ERR_INVALID_STATE'),
    );
    expect(drainTexts(consumer)).toEqual(['abc']);
  });

  test('a batch is there at once, or never', () => {
    using queue = Queue.create({ capacity: 100, producers: 'many' });
    using producer = queue.producer();
    using consumer = queue.consumer();
    producer.batch((it) => {
      it.tryWrite(Buffer.from('a'));
      it.tryWriteWith(1, (memory) => memory.fill(98));
      expect(consumer.drain(() => undefined)).toBe(0);
    });
    expect(() =>
      producer.batch((it) => {
        it.tryWrite(Buffer.from('lost'));
        throw new Error('cannot');
      }),
    ).toThrow('cannot');
    producer.writeSync(Buffer.from('c'));
    expect(drainTexts(consumer)).toEqual(['a', 'b', 'c']);
  });

  test('a message whose reader throws, or has too little room, stays', () => {
    using queue = Queue.create({ capacity: 100, consumers: 'many' });
    using producer = queue.producer();
    using consumer = queue.consumer();
    producer.writeSync(Buffer.from('stays'));
    const failing = (): void => {
      throw new Error('cannot');
    };
    expect(() => consumer.tryRead(failing)).toThrow('cannot');
    expect(() => consumer.drain(failing)).toThrow('cannot');
    expect(() => consumer.tryRead(later)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(() => consumer.tryRead(() => void consumer.readSync())).toThrow(coded('ERR_INVALID_STATE'));
    expect(() => consumer.readSync({ into: Buffer.alloc(4) })).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(text(consumer.readSync())).toBe('stays');
    expect(consumer.tryRead(() => undefined)).toBe(false);
  });

  test('reads and writes that wait are served in the order in which they came', async () => {
    using queue = Queue.create({ capacity: 4000 });
    using producer = queue.producer();
    using consumer = queue.consumer();
    const reads = [consumer.read(), consumer.read(), consumer.read()];
    expect(() => consumer.readSync()).toThrow(coded('ERR_INVALID_STATE'));
    const writes = ['a', 'b', 'c'].map((it) => producer.write(Buffer.from(it)));
    expect((await Promise.all(reads)).map(text)).toEqual(['a', 'b', 'c']);
    await Promise.all(writes);
    producer.writeSync(Buffer.alloc(4000, 1));
    const full = ['d', 'e'].map((it) => producer.write(Buffer.alloc(200, it)));
    // it would fit, and has to wait for its turn
    expect(producer.tryWrite(Buffer.alloc(1))).toBe(false);
    expect(() => producer.writeSync(Buffer.alloc(1))).toThrow(coded('ERR_INVALID_STATE'));
    expect(consumer.readSync()?.byteLength).toBe(4000);
    await Promise.all(full);
    expect(drainTexts(consumer)).toEqual(['d'.repeat(200), 'e'.repeat(200)]);
  });

  test('waiting ends by time, by signal and by closing', async () => {
    using queue = Queue.create({ capacity: 4000 });
    const producer = queue.producer();
    const consumer = queue.consumer();
    expect(() => consumer.readSync({ timeout: 5 })).toThrow(coded('ERR_TIMEOUT'));
    expect(() => consumer.readableSync({ timeout: 5 })).toThrow(coded('ERR_TIMEOUT'));
    await expect(consumer.read({ timeout: 5 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await expect(consumer.read({ signal: AbortSignal.timeout(5) })).rejects.toThrow('timeout');
    producer.writeSync(Buffer.alloc(4000));
    expect(() => producer.writeSync(Buffer.alloc(4000), { timeout: 5 })).toThrow(coded('ERR_TIMEOUT'));
    await expect(producer.write(Buffer.alloc(4000), { timeout: 5 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    const writing = producer.write(Buffer.alloc(4000));
    const closing = Promise.allSettled([writing]);
    producer.end();
    producer.end();
    expect(await closing).toMatchObject([{ reason: { code: 'ERR_CLOSED' } }]);
    expect(() => producer.tryWrite(Buffer.alloc(1))).toThrow(coded('ERR_CLOSED'));
    expect((await consumer.read())?.byteLength).toBe(4000);
    // the producer has ended
    expect(consumer.peer).toBe('ended');
    expect(await consumer.read()).toBeUndefined();
    expect(consumer.readSync()).toBeUndefined();
    expect(await consumer.readable()).toBe(false);
    expect(consumer.readableSync()).toBe(false);
    consumer.close();
    expect(() => consumer.readableSync()).toThrow(coded('ERR_CLOSED'));
    await expect(consumer.read()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('a producer that waits for a consumer that closes is told', async () => {
    using queue = Queue.create({ capacity: 4000 });
    using producer = queue.producer();
    const consumer = queue.consumer();
    producer.writeSync(Buffer.alloc(4000));
    const writing = Promise.allSettled([producer.write(Buffer.alloc(4000))]);
    consumer.close();
    expect(await writing).toMatchObject([{ reason: { code: 'ERR_CLOSED' } }]);
    expect(() => producer.writeSync(Buffer.alloc(4000))).toThrow(coded('ERR_CLOSED'));
    // another one may take its place
    using next = queue.consumer();
    expect(next.readSync()?.byteLength).toBe(4000);
    producer.writeSync(Buffer.from('x'));
    expect(text(next.readSync())).toBe('x');
  });

  test('what comes between a look and the arming of the bell is found by the second look', async () => {
    using queue = Queue.create({ capacity: 4000 });
    using producer = queue.producer();
    using consumer = queue.consumer();
    /** Does something when a bell is about to be armed, which is the next exchange. */
    const meanwhile = (act: () => unknown): void => {
      const exchange = vi.spyOn(Atomics, 'compareExchange');
      exchange.mockImplementationOnce((...args: Parameters<typeof Atomics.compareExchange>) => {
        exchange.mockRestore();
        act();
        return Atomics.compareExchange(...args);
      });
    };
    meanwhile(() => producer.tryWrite(Buffer.from('between')));
    expect(text(consumer.readSync({ timeout: 500 }))).toBe('between');
    producer.writeSync(Buffer.alloc(4000));
    meanwhile(() => consumer.drain(() => undefined));
    producer.writeSync(Buffer.alloc(4000), { timeout: 500 });
    expect(consumer.drain(() => undefined)).toBe(1);
  });

  test('there is one end of a kind, or many, as the queue was made', () => {
    using queue = Queue.create({ capacity: 10, consumers: 'many' });
    using producer = queue.producer();
    expect(() => queue.producer()).toThrow(coded('ERR_PLACE_TAKEN'));
    const consumers = Array.from({ length: 24 }, () => queue.consumer());
    expect(() => queue.consumer()).toThrow(coded('ERR_PLACE_TAKEN'));
    for (const consumer of consumers) consumer.close();
    expect(producer.peer).toBe('ended');
  });
});

describe('between processes', () => {
  test.for([
    { way: 'sync', other: 'sync' },
    { way: 'sync', other: 'async' },
    { way: 'async', other: 'sync' },
    { way: 'async', other: 'async' },
    { way: 'sync', other: 'drain' },
    { way: 'sync', other: 'drain, blocking' },
  ] as const)(
    '$way writing and $other reading: 20,000 messages, whole and in order, none found late',
    async ({ way, other }) => {
      using queue = Queue.create({ capacity: 4000 });
      const data = { handle: queue.handle(), id: 1, count: 20_000 };
      const reader = start(consume, { ...data, way: other as 'sync' });
      await reader.next();
      const writer = start(produce, { ...data, way });
      await writer.next();
      const numbers = await reader.next<[number, number][]>();
      expect(numbers.map(([, i]) => i)).toEqual(Array.from({ length: 20_000 }, (_, i) => i));
      expect([await writer.next(), await reader.next()]).toEqual([0, 0]);
      expect(await writer.ended).toMatchObject({ code: 0, stderr: '' });
      expect(await reader.ended).toMatchObject({ code: 0, stderr: '' });
    },
  );

  test.for(['sync', 'async'] as const)(
    '10,000 questions and answers, %s, each waited for, none found late',
    async (way) => {
      const answer = async ({
        ipc,
        data,
        report,
        late,
      }: Tools<{ handle: ChannelHandle; way: string }>): Promise<void> => {
        const channel = ipc.Channel.attach(data.handle);
        const { in: from, out } = channel;
        if (data.way === 'sync') for (let m = from.readSync(); m !== undefined; m = from.readSync()) out.writeSync(m);
        else for await (const message of from) await out.write(message);
        report(late());
        channel.close();
      };
      const channel = Channel.create({ capacity: 4000 });
      const child = start(answer, { handle: channel.handle(), way });
      for (let i = 0; i < 10_000; i++) {
        const question = Buffer.from([i, i >> 8]);
        channel.out.writeSync(question);
        const given = way === 'sync' ? channel.in.readSync() : await channel.in.read();
        if (given?.equals(question) !== true) throw new Error(`${i} was answered by ${given?.toString('hex')}`);
      }
      channel.out.end();
      expect(await child.next()).toBe(0);
      expect(native.ipc.foundLate()).toBe(0);
      channel.close();
    },
  );

  test('many producers and many consumers: each message once, each producer in order', async () => {
    using queue = Queue.create({ capacity: 4000, producers: 'many', consumers: 'many' });
    const handle = queue.handle();
    const readers = (['sync', 'async', 'drain'] as const).map((way) =>
      start(consume, { handle, id: 0, count: 0, way: way as 'sync' }),
    );
    for (const reader of readers) await reader.next();
    // the end is where no producer is left: this one stays until all have come
    const first = queue.producer();
    const ids = [0, 1, 2];
    const writers = ids.map((id) => start(produce, { handle, id, count: 3000, way: id === 1 ? 'async' : 'sync' }));
    for (const writer of writers) await writer.next();
    first.end();
    const parts = await Promise.all(readers.map((reader) => reader.next<[number, number][]>()));
    for (const id of ids) {
      const mine = parts.map((part) => part.filter(([from]) => from === id).map(([, i]) => i));
      for (const part of mine) expect(part).toEqual(part.toSorted((a, b) => a - b));
      expect(mine.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 3000 }, (_, i) => i));
    }
    for (const child of [...writers, ...readers]) expect(await child.next()).toBe(0);
  });
});
