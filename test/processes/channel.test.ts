import { once } from 'node:events';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, test } from 'vitest';
import { Channel, type Codec, duplexOf, Queue, readableOf, webStreamsOf, writableOf } from '../../lib/ipc/index.js';

const coded = (code: string): unknown => expect.objectContaining({ code });
const json: Codec = {
  encode: (value) => Buffer.from(JSON.stringify(value)),
  decode: (message) => JSON.parse(message.toString()) as unknown,
};
const long = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * 31) & 255));

describe('a channel', () => {
  test('carries values both ways, in order, until one side ends', async () => {
    using left = Channel.create();
    const right = Channel.attach(left.handle());
    const cyclic: Record<string, unknown> = { date: new Date(7), set: new Set([1n]) };
    cyclic['self'] = cyclic;
    await right.send(1);
    await right.send(undefined);
    expect(right.trySend(cyclic)).toBe(true);
    right.close();
    const values: unknown[] = [];
    for await (const value of left.values()) values.push(value);
    expect(values).toEqual([1, undefined, cyclic]);
    expect(left.peer).toBe('ended');
    await expect(left.receive()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
  });

  test('takes a codec', async () => {
    using left = Channel.create({ codec: json, capacity: 100 });
    using right = Channel.attach(left.handle(), { codec: json });
    await left.send({ a: [1, null] });
    expect((await right.in.read())?.toString()).toBe('{"a":[1,null]}');
    await right.send('back');
    expect(await left.receive()).toBe('back');
    expect(() => Channel.create({ codec: {} as Codec })).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    await expect(left.send('x'.repeat(5000))).rejects.toMatchObject({ code: 'ERR_MESSAGE_TOO_LARGE' });
  });

  test('gives its memory and its descriptors back when it is closed', async () => {
    const { readFileSync, readdirSync } = await import('node:fs');
    const state = (): number[] => [
      readdirSync('/proc/self/fd').length,
      readFileSync('/proc/self/maps', 'utf8').split('\n').length,
      readdirSync('/proc/self/task').length,
    ];
    const round = async (): Promise<void> => {
      const left = Channel.create({ capacity: 10_000 });
      const right = Channel.attach(left.handle());
      const receiving = right.receive();
      await left.send(1);
      await receiving;
      left.close();
      right.close();
    };
    for (let i = 0; i < 20; i++) await round();
    const before = state();
    for (let i = 0; i < 200; i++) await round();
    const after = state();
    expect(after[0]).toBe(before[0]);
    expect(after[2]).toBe(before[2]);
    // the runtime's own heap grows too, and a sanitizer's more; a leak would be one a round
    expect((after[1] ?? 0) - (before[1] ?? 0)).toBeLessThan(100);
  });
});

describe('streams', () => {
  test('a Duplex on each side carries more than fits, both ways, and ends', async () => {
    const left = Channel.create({ capacity: 4000 });
    const [a, b] = [duplexOf(left), duplexOf(Channel.attach(left.handle()))];
    const echoed = pipeline(b, b);
    const chunks: Buffer[] = [];
    a.on('data', (chunk: Buffer) => chunks.push(chunk));
    a.end(long);
    await once(a, 'end');
    await echoed;
    expect(Buffer.concat(chunks).equals(long)).toBe(true);
  });

  test('web streams can be piped through', async () => {
    const left = Channel.create({ capacity: 4000 });
    const right = webStreamsOf(Channel.attach(left.handle()));
    const echoed = right.readable.pipeTo(right.writable);
    const source = Readable.toWeb(Readable.from([long.subarray(0, 60_000), long.subarray(60_000)]));
    const chunks: Uint8Array[] = [];
    for await (const chunk of source.pipeThrough(webStreamsOf(left))) chunks.push(chunk);
    await echoed;
    expect(Buffer.concat(chunks).equals(long)).toBe(true);
  });

  test('of a queue: cancelling one end is told to the other', async () => {
    using queue = Queue.create({ capacity: 4000 });
    const readable = readableOf(queue.consumer());
    const writer = writableOf(queue.producer()).getWriter();
    await writer.write(long.subarray(0, 4000));
    const writing = Promise.allSettled([writer.write(long.subarray(0, 4000))]);
    await readable.cancel();
    expect(await writing).toMatchObject([{ reason: { code: 'ERR_CLOSED' } }]);
  });

  test('a Readable comes from a consumer as it is', async () => {
    using queue = Queue.create({ capacity: 4000 });
    using consumer = queue.consumer();
    const producer = queue.producer();
    producer.writeSync(Buffer.from('one '));
    producer.writeSync(Buffer.from('two'));
    producer.end();
    expect(Buffer.concat(await Readable.from(consumer).toArray()).toString()).toBe('one two');
  });
});
