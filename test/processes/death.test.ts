import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { type Consumer, type Producer, Queue } from '../../lib/ipc/index.js';
import { start, type Tools } from './support.js';

type Data = { handle: ReturnType<Queue['handle']>; what: string };
const FULL = 4088;

/** Opens an end, does what is told, and then waits to be killed. */
const peer = async ({ ipc, data, report }: Tools<Data>): Promise<void> => {
  const queue = ipc.Queue.attach(data.handle);
  const kept = (globalThis as { kept?: unknown[] }).kept ?? [];
  (globalThis as { kept?: unknown[] }).kept = kept;
  if (data.what.startsWith('produce')) {
    const producer = queue.producer();
    kept.push(producer);
    if (data.what === 'produce one') producer.writeSync(Buffer.from('the last'));
    if (data.what === 'produce half') {
      producer.tryWriteWith(100, (memory) => {
        memory.fill(1);
        process.kill(process.pid, 'SIGKILL');
      });
    }
  } else {
    const consumer = queue.consumer();
    kept.push(consumer);
    if (data.what === 'consume half') {
      report('reading');
      while (await consumer.readable()) consumer.drain(() => process.kill(process.pid, 'SIGKILL'));
    }
  }
  report('ready');
  setInterval(() => undefined, 1000);
};

/** A waiting peer in a process of its own, which says how its waiting ended. */
const waiter = async ({ ipc, data, report, late }: Tools<Data>): Promise<void> => {
  const queue = ipc.Queue.attach(data.handle);
  const [kind, way] = data.what.split(' ');
  const end = kind === 'writer' ? queue.producer() : queue.consumer();
  const message = Buffer.alloc(4088);
  if (kind === 'writer') (end as Producer).writeSync(message);
  report('waiting');
  try {
    if (kind === 'writer' && way === 'sync') (end as Producer).writeSync(message);
    if (kind === 'writer' && way === 'async') await (end as Producer).write(message);
    if (kind === 'reader' && way === 'sync') (end as Consumer).readSync();
    if (kind === 'reader' && way === 'async') await (end as Consumer).read();
    report({ code: 'none' });
  } catch (error) {
    const { code } = error as { code: string };
    report({ code, late: late() });
  }
};

describe('whoever waits for a peer that is killed is told at once', () => {
  test.for(['writer sync', 'writer async', 'reader sync', 'reader async'])('%s', async (what) => {
    using queue = Queue.create({ capacity: FULL });
    const handle = queue.handle();
    const other = start(peer, { handle, what: what.startsWith('writer') ? 'consume' : 'produce' });
    await other.next();
    const waiting = start(waiter, { handle, what });
    await waiting.next();
    await delay(50);
    await other.kill();
    expect(await waiting.next()).toEqual({ code: 'ERR_PEER_DIED', late: 0 });
  });

  test('all of them, where many wait for one', async () => {
    using queue = Queue.create({ capacity: FULL, producers: 'many' });
    const handle = queue.handle();
    const consumer = start(peer, { handle, what: 'consume' });
    await consumer.next();
    const producers = Array.from({ length: 3 }, () => queue.producer());
    producers[0]?.writeSync(Buffer.alloc(FULL));
    const writing = Promise.allSettled(producers.map((producer) => producer.write(Buffer.alloc(FULL))));
    await delay(20);
    await consumer.kill();
    expect(await writing).toMatchObject(Array.from({ length: 3 }, () => ({ reason: { code: 'ERR_PEER_DIED' } })));
    for (const producer of producers) producer.end();
  });

  test('and not while another one lives', async () => {
    using queue = Queue.create({ capacity: FULL, producers: 'many' });
    using consumer = queue.consumer();
    const first = start(peer, { handle: queue.handle(), what: 'produce' });
    const second = start(peer, { handle: queue.handle(), what: 'produce' });
    await first.next();
    await second.next();
    await first.kill();
    await expect(consumer.read({ timeout: 50 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await second.kill();
    await expect(consumer.read()).rejects.toMatchObject({ code: 'ERR_PEER_DIED' });
  });
});

describe('what a dead peer leaves', () => {
  test('messages that it had written are read; then its death is told, until another one takes its place', async () => {
    using queue = Queue.create({ capacity: FULL });
    using consumer = queue.consumer();
    const child = start(peer, { handle: queue.handle(), what: 'produce one' });
    await child.next();
    await child.kill();
    expect(consumer.peer).toBe('died');
    expect((await consumer.read())?.toString()).toBe('the last');
    await expect(consumer.read()).rejects.toMatchObject({ code: 'ERR_PEER_DIED' });
    expect(() => consumer.readSync()).toThrow(expect.objectContaining({ code: 'ERR_PEER_DIED' }));
    using next = queue.producer();
    expect(consumer.peer).toBe('alive');
    next.writeSync(Buffer.from('the next'));
    expect((await consumer.read())?.toString()).toBe('the next');
  });

  test.for(['one', 'many'] as const)(
    'a message that was not complete was never there, with %s producers',
    async (producers) => {
      using queue = Queue.create({ capacity: FULL, producers });
      using consumer = queue.consumer();
      const child = start(peer, { handle: queue.handle(), what: 'produce half' });
      expect(await child.ended).toMatchObject({ signal: 'SIGKILL' });
      expect(consumer.drain(() => undefined)).toBe(0);
      using next = queue.producer();
      next.writeSync(Buffer.from('whole'));
      expect(consumer.readSync()?.toString()).toBe('whole');
    },
  );

  test.for(['one', 'many'] as const)(
    'a message that was being read is read again, once, with %s consumers',
    async (consumers) => {
      using queue = Queue.create({ capacity: FULL, consumers });
      using producer = queue.producer();
      const child = start(peer, { handle: queue.handle(), what: 'consume half' });
      await child.next();
      producer.writeSync(Buffer.from('again'));
      expect(await child.ended).toMatchObject({ signal: 'SIGKILL' });
      using next = queue.consumer();
      expect(next.readSync()?.toString()).toBe('again');
      expect(next.drain(() => undefined)).toBe(0);
    },
  );

  test('a peer that is stopped is waited for as long as was asked, and no longer', async () => {
    using queue = Queue.create({ capacity: FULL });
    using consumer = queue.consumer();
    const child = start(peer, { handle: queue.handle(), what: 'produce' });
    await child.next();
    child.process.kill('SIGSTOP');
    expect(() => consumer.readSync({ timeout: 20 })).toThrow(expect.objectContaining({ code: 'ERR_TIMEOUT' }));
    await expect(consumer.read({ timeout: 20 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(consumer.peer).toBe('alive');
  });
});
