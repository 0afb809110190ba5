import { execFileSync } from 'node:child_process';
import { closeSync, constants, fstatSync, mkdtempSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { attach } from '../../lib/index.js';
import { Channel, Queue } from '../../lib/ipc/index.js';
import { run, start, type Tools } from './support.js';

type QueueData = ReturnType<Queue['handle']>;
const coded = (code: string): unknown => expect.objectContaining({ code });
const HEAD = 96;
const TAIL = 32;
const FIRST_FRAME = 1024;

/** A queue whose memory can be written to behind its back. */
const open = (): { queue: Queue; words: Int32Array } => {
  const queue = Queue.create({ capacity: 4000 });
  return { queue, words: attach(queue.handle().memory).view(Int32Array) };
};

describe('a peer that lies is found out', () => {
  test.for([
    { what: 'more than there is', length: 200 },
    { what: 'more than the ring', length: 1_000_000 },
    { what: 'less than nothing', length: -1 },
    { what: 'nearly overflowing', length: 2 ** 31 - 1 },
  ])('about the length of a message: $what', async ({ length }) => {
    const { queue, words } = open();
    using producer = queue.producer();
    using consumer = queue.consumer();
    producer.writeSync(Buffer.alloc(100));
    words[FIRST_FRAME] = length;
    expect(() => consumer.readSync()).toThrow(coded('ERR_CORRUPT'));
    await expect(consumer.read()).rejects.toMatchObject({ code: 'ERR_CORRUPT' });
    expect(() => consumer.drain(() => undefined)).toThrow(coded('ERR_CORRUPT'));
  });

  test.for([1, 4, 4104, 2 ** 30, -8, -2147483648])('about how far it has written: %d', (tail) => {
    const { queue, words } = open();
    using consumer = queue.consumer();
    Atomics.store(words, TAIL, tail);
    expect(() => consumer.readSync({ timeout: 0 })).toThrow(coded('ERR_CORRUPT'));
    expect(() => queue.producer()).toThrow(coded('ERR_CORRUPT'));
    // nobody keeps the place that was refused
    Atomics.store(words, TAIL, 0);
    queue.producer().end();
  });

  test.for([4, 96, -4104, 2 ** 30])('about how far it has read: %d', async (head) => {
    const { queue, words } = open();
    using producer = queue.producer();
    producer.writeSync(Buffer.alloc(4000));
    Atomics.store(words, HEAD, -head);
    expect(() => producer.writeSync(Buffer.alloc(4000), { timeout: 0 })).toThrow(coded('ERR_CORRUPT'));
    await expect(producer.write(Buffer.alloc(4000))).rejects.toMatchObject({ code: 'ERR_CORRUPT' });
  });

  test('about the layout: attaching is refused', () => {
    const { queue, words } = open();
    for (const index of [0, 1, 2]) {
      const right = words[index] ?? 0;
      words[index] = right + 1;
      expect(() => Queue.attach(queue.handle())).toThrow(coded('ERR_CORRUPT'));
      words[index] = right;
    }
    Queue.attach(queue.handle()).close();
  });

  test('with a message that is no value: receive() is rejected, and the next one is received', async () => {
    using channel = Channel.create();
    using other = Channel.attach(channel.handle());
    await other.out.write(Buffer.from('not what v8.serialize() makes'));
    await other.send({ fine: true });
    await expect(channel.receive()).rejects.toThrow('Unable to deserialize');
    expect(await channel.receive()).toEqual({ fine: true });
  });
});

test('a producer that is stopped while it writes holds up the others for as long as they want', async () => {
  const queue = Queue.create({ capacity: 4000, producers: 'many' });
  using producer = queue.producer();
  const child = start(({ ipc, data, report }: Tools<QueueData>) => {
    const theirs = ipc.Queue.attach(data).producer();
    theirs.tryWriteWith(10, () => {
      report('stopping');
      process.kill(process.pid, 'SIGSTOP');
    });
  }, queue.handle());
  await child.next();
  await expect.poll(() => producer.tryWrite(Buffer.alloc(1))).toBe(false);
  expect(() => producer.writeSync(Buffer.alloc(1), { timeout: 20 })).toThrow(coded('ERR_TIMEOUT'));
  await expect(producer.write(Buffer.alloc(1), { timeout: 20 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  const writing = producer.write(Buffer.from('after'));
  child.process.kill('SIGCONT');
  await writing;
  expect(await child.ended).toMatchObject({ code: 0 });
});

test('a pipe that a peer passes off as a doorbell is not written to, and no descriptor is left open', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  const pipe = openSync(join(folder, 'pipe'), constants.O_RDWR | constants.O_NONBLOCK);
  onTestFinished(() => closeSync(pipe));
  const { ino } = fstatSync(pipe);
  const { queue, words } = open();
  using producer = queue.producer();
  using consumer = queue.consumer();
  const place = 256 + 24 * 16;
  // the doorbell, and the helper: they stay
  await expect(consumer.read({ timeout: 1 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
  const fds = (): number => readdirSync('/proc/self/fd').length;
  const before = fds();
  for (const [pid, fd] of [
    [process.pid, pipe],
    [process.pid, 0],
    [-1, -1],
    [2 ** 31 - 1, 7],
  ] as const) {
    const reading = consumer.read();
    await setImmediate();
    words.set([pid, fd, ino | 0, Math.floor(ino / 2 ** 32)], place + 4);
    Atomics.store(words, place + 3, 1);
    producer.writeSync(Buffer.from('heard all the same'));
    expect((await reading)?.toString()).toBe('heard all the same');
  }
  expect(() => readSync(pipe, Buffer.alloc(1))).toThrow(coded('EAGAIN'));
  expect(fds()).toBe(before);
});

test(
  'whatever is scribbled over the memory, every call ends in time, with a result or an error that has a code',
  { timeout: 60_000 },
  async () => {
    const fuzz = async ({ ipc, mm, data }: Tools<{ rounds: number }>): Promise<void> => {
      let state = 7;
      const random = (below: number): number => {
        state = (Math.imul(state, 1664525) + 1013904223) | 0;
        return Math.floor(((state >>> 0) / 2 ** 32) * below);
      };
      const known = new Set(
        'ERR_CORRUPT ERR_TIMEOUT ERR_PEER_DIED ERR_CLOSED ERR_PLACE_TAKEN ERR_DEADLOCK ERR_NOT_LOCKED ERR_MESSAGE_TOO_LARGE'.split(
          ' ',
        ),
      );
      const attempt = async (call: () => unknown): Promise<void> => {
        try {
          await call();
        } catch (error) {
          if (!known.has((error as { code: string }).code)) throw error;
        }
      };
      const values = [0, 1, -1, 7, 8, 4096, 2 ** 30, 0x40000000, -2147483648, 2147483647];
      for (let round = 0; round < data.rounds; round++) {
        const counts = {
          producers: ['one', 'many'][random(2)] as 'one',
          consumers: ['one', 'many'][random(2)] as 'one',
        };
        const queue = ipc.Queue.create({ capacity: 4000, ...counts });
        const memory = mm.attach(queue.handle().memory);
        const words = memory.view(Int32Array);
        const ends: { p?: import('../../lib/ipc/index.js').Producer; c?: import('../../lib/ipc/index.js').Consumer } =
          {};
        await attempt(() => (ends.p = queue.producer()));
        await attempt(() => (ends.c = queue.consumer()));
        const { p, c } = ends;
        for (let i = 0; i < 12; i++) {
          const where = [random(1024), 32, 96, 64, 128, 192, 224, 256, 640, 1024 + random(1024)][random(10)] ?? 0;
          Atomics.store(words, where, random(4) === 0 ? random(2 ** 32) | 0 : (values[random(values.length)] ?? 0));
          const message = new Uint8Array(random(3000));
          if (p !== undefined) await attempt(() => p.tryWrite(message));
          if (p !== undefined) await attempt(() => p.writeSync(message, { timeout: 0.2 }));
          if (p !== undefined && random(8) === 0) await attempt(() => p.write(message, { timeout: 1 }));
          if (c !== undefined) await attempt(() => c.drain(() => undefined, 3));
          if (c !== undefined) await attempt(() => c.readSync({ timeout: 0.2 }));
          if (c !== undefined && random(8) === 0) await attempt(() => c.read({ timeout: 1 }));
        }
        await attempt(() => p?.end());
        await attempt(() => c?.close());
        await attempt(() => ipc.Queue.attach(queue.handle()).close());
        memory.unmapSync();
        queue.close();
      }
    };
    expect(await run(fuzz, { rounds: 400 })).toMatchObject({ code: 0, signal: null, stderr: '' });
  },
);
