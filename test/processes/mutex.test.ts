import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { mmap, type Mapping } from '../../lib/index.js';
import { Mutex, Semaphore } from '../../lib/ipc/index.js';
import { native } from '../../lib/native.js';
import { run, start, type Tools } from './support.js';

const shared = (length = 65536): Mapping => mmap({ backing: 'anonymous', sharing: 'shared', length });
const coded = (code: string): unknown => expect.objectContaining({ code });
const runner = new URL('runner.mjs', import.meta.url);

describe('a Mutex', () => {
  test('is held by one, given back once, and told apart from a guard that is spent', () => {
    using memory = shared();
    const words = memory.view(Int32Array, 0, 8);
    const mutex = new Mutex(memory, 0);
    const guard = mutex.lockSync();
    expect(words[0]).not.toBe(0);
    expect(mutex.tryLock()).toBeNull();
    expect(() => mutex.lockSync()).toThrow(coded('ERR_DEADLOCK'));
    guard.unlock();
    expect(words[0]).toBe(0);
    expect(() => guard.unlock()).toThrow(coded('ERR_NOT_LOCKED'));
    guard[Symbol.dispose]();
    {
      using held = mutex.tryLock();
      expect(held).not.toBeNull();
    }
    expect(words[0]).toBe(0);
  });

  test('lets the tasks of one thread in one after the other, in order', async () => {
    using memory = shared();
    const mutex = new Mutex(memory, 8);
    const order: number[] = [];
    const task = async (i: number): Promise<void> => {
      const guard = await mutex.lock();
      order.push(i);
      await delay(0);
      order.push(i);
      guard.unlock();
    };
    await Promise.all([0, 1, 2, 3].map(task));
    expect(order).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test('times out, and can be called off, in line and at its head', async () => {
    using memory = shared();
    const mutex = new Mutex(memory, 0);
    const guard = mutex.lockSync();
    const controller = new AbortController();
    const first = mutex.lock({ timeout: 20 });
    const second = mutex.lock({ timeout: 10 });
    const third = mutex.lock({ signal: controller.signal });
    controller.abort(new Error('enough'));
    const results = await Promise.allSettled([first, second, third]);
    expect(results.map((it) => (it.status === 'rejected' ? (it.reason as Error).message : ''))).toEqual([
      'lock() timed out after 20 ms',
      'lock() timed out after 10 ms',
      'enough',
    ]);
    guard.unlock();
    (await mutex.lock()).unlock();
  });

  test('held, keeps its memory from being unmapped', async () => {
    const memory = shared();
    const mutex = new Mutex(memory, 0);
    const guard = mutex.lockSync();
    expect(() => memory.unmapSync()).toThrow(coded('EBUSY'));
    await expect(memory.unmap()).rejects.toMatchObject({ code: 'EBUSY' });
    expect(() => memory.resize(4096)).toThrow(coded('EBUSY'));
    expect(memory.unmapped).toBe(false);
    guard.unlock();
    memory.unmapSync();
    expect(memory.unmapped).toBe(true);
  });

  test('exists 5,000 times in one process, more than one thread can own', () => {
    using memory = shared();
    const all = Array.from({ length: 5000 }, (_, i) => new Mutex(memory, i * Mutex.BYTES));
    const guards = all.map((mutex) => mutex.lockSync());
    const owners = new Set(guards.map((_, i) => memory.view(Int32Array, i * 8, 8)[0]));
    expect(owners.size).toBe(3);
    for (const guard of guards) guard.unlock();
  });

  test('wants shared, writable memory, on a multiple of 8', () => {
    using own = mmap({ backing: 'anonymous', sharing: 'private', length: 4096 });
    using memory = shared();
    expect(() => new Mutex(own, 0)).toThrow(coded('ERR_INVALID_ARG_VALUE'));
    expect(() => new Mutex(memory, 4)).toThrow(coded('ERR_INVALID_ARG_VALUE'));
    expect(() => new Mutex(memory, 65536)).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => new Mutex(memory, 0, { recovr: () => undefined } as never)).toThrow(/did you mean 'recover'/);
  });

  test('counts exactly, with three processes that lock in both ways', async () => {
    using memory = shared();
    const count = async ({ ipc, mm, data, report, late }: Tools<ReturnType<Mapping['handle']>>): Promise<void> => {
      const theirs = mm.attach(data);
      const words = theirs.view(Int32Array);
      const mutex = new ipc.Mutex(theirs, 8);
      for (let i = 0; i < 5000; i++) {
        const guard = i % 2 === 0 ? mutex.lockSync() : await mutex.lock();
        words[0] = (words[0] ?? 0) + 1;
        guard.unlock();
      }
      report(late());
    };
    const children = [1, 2, 3].map(() => start(count, memory.handle()));
    for (const child of children) expect(await child.next()).toBe(0);
    expect(memory.view(Int32Array)[0]).toBe(15_000);
    expect(memory.view(Int32Array)[2]).toBe(0);
  });
});

describe('a Mutex whose owner dies', () => {
  type Data = { memory: ReturnType<Mapping['handle']>; how: string };
  const hold = ({ ipc, mm, data, report }: Tools<Data>): void => {
    const theirs = mm.attach(data.memory);
    const mutex = new ipc.Mutex(theirs, 0);
    (globalThis as { kept?: unknown }).kept = mutex.lockSync();
    report('held');
    const ways: Record<string, () => unknown> = {
      SIGKILL: () => process.kill(process.pid, 'SIGKILL'),
      exit: () => process.exit(0),
      abort: () => process.abort(),
      'an uncaught error': () => {
        throw new Error('uncaught');
      },
      'its natural end': () => undefined,
      stay: () => setInterval(() => undefined, 1000),
    };
    ways[data.how]?.();
  };

  test.for(['SIGKILL', 'exit', 'abort', 'an uncaught error', 'its natural end'])(
    'by %s: the next one is told',
    async (how) => {
      using memory = shared();
      const mutex = new Mutex(memory, 0);
      const child = start(hold, { memory: memory.handle(), how });
      await child.next();
      await expect(mutex.lock()).rejects.toMatchObject({ code: 'ERR_OWNER_DIED' });
      // and everybody after, until it is repaired
      expect(() => mutex.lockSync()).toThrow(coded('ERR_OWNER_DIED'));
      expect(() => mutex.tryLock()).toThrow(coded('ERR_OWNER_DIED'));
      let repaired: unknown;
      expect(mutex.recover((it) => (repaired = it))).toBe(true);
      expect(repaired).toBe(memory);
      expect(mutex.recover(() => undefined)).toBe(false);
      mutex.lockSync().unlock();
    },
  );

  test('by the end of its worker, terminated or not: the next one is told', async () => {
    using memory = shared();
    const mutex = new Mutex(memory, 0);
    for (const loop of ['', 'setInterval(() => undefined, 1000);']) {
      const body = `({ ipc, mm, data }) => {
        const theirs = mm.attach(data);
        globalThis.kept = new ipc.Mutex(theirs, 0).lockSync();
        Atomics.store(theirs.view(Int32Array), 16, 1);
        ${loop}
      }`;
      const worker = new Worker(runner, { argv: [JSON.stringify({ code: body, data: memory.handle() })] });
      if (loop === '') await new Promise((resolve) => worker.once('exit', resolve));
      else {
        await expect.poll(() => Atomics.load(memory.view(Int32Array), 16)).toBe(1);
        await worker.terminate();
      }
      Atomics.store(memory.view(Int32Array), 16, 0);
      expect(() => mutex.lockSync()).toThrow(coded('ERR_OWNER_DIED'));
      mutex.recover(() => undefined);
    }
  });

  test('recovers by itself with `recover`; a repair that throws leaves it for the next one', async () => {
    using memory = shared();
    let calls = 0;
    const mutex = new Mutex(memory, 0, {
      recover: () => {
        if (++calls === 1) throw new Error('cannot');
      },
    });
    const child = start(hold, { memory: memory.handle(), how: 'SIGKILL' });
    await child.next();
    await child.ended;
    expect(() => mutex.lockSync()).toThrow('cannot');
    (await mutex.lock()).unlock();
    mutex.lockSync().unlock();
    expect(calls).toBe(2);
  });

  test('wakes all who wait, one after the other', async () => {
    using memory = shared();
    const child = start(hold, { memory: memory.handle(), how: 'stay' });
    await child.next();
    const others = Array.from({ length: 3 }, () =>
      start(({ ipc, mm, data, report, late }) => {
        const mutex = new ipc.Mutex(mm.attach(data), 0, { recover: () => undefined });
        report('waiting');
        mutex.lockSync().unlock();
        report(late());
      }, memory.handle()),
    );
    for (const other of others) await other.next();
    const waiting = new Mutex(memory, 0, { recover: () => undefined }).lock();
    await delay(20);
    await child.kill();
    (await waiting).unlock();
    for (const other of others) expect(await other.next()).toBe(0);
    expect(native.ipc.foundLate()).toBe(0);
  });

  test('does not mistake the garbage collection of a locked Mutex for its release', async () => {
    using memory = shared();
    const end = await run(async ({ ipc, mm, data }) => {
      const v8 = process.getBuiltinModule('node:v8');
      const vm = process.getBuiltinModule('node:vm');
      v8.setFlagsFromString('--expose-gc');
      const gc = vm.runInNewContext('gc') as () => void;
      const theirs = mm.attach(data);
      const words = theirs.view(Int32Array);
      (() => new ipc.Mutex(theirs, 0).lockSync())();
      for (let i = 0; i < 100 && Atomics.load(words, 0) !== 0x40000000; i++) {
        gc();
        await new Promise((resolve) => setImmediate(resolve));
      }
      process.exitCode = Atomics.load(words, 0) === 0x40000000 ? 0 : 1;
    }, memory.handle());
    expect(end).toMatchObject({ code: 0 });
    expect(() => new Mutex(memory, 0).lockSync()).toThrow(coded('ERR_OWNER_DIED'));
  });
});

describe('a Semaphore', () => {
  test('has as many permits as the first one says, and waits for more', async () => {
    using memory = shared();
    const semaphore = new Semaphore(memory, 0, { permits: 2 });
    expect(new Semaphore(memory, 0, { permits: 7 }).permits).toBe(2);
    semaphore.acquireSync();
    expect(semaphore.tryAcquire()).toBe(true);
    expect(semaphore.tryAcquire()).toBe(false);
    expect(() => semaphore.acquireSync({ timeout: 5 })).toThrow(coded('ERR_TIMEOUT'));
    await expect(semaphore.acquire({ timeout: 5 })).rejects.toMatchObject({ code: 'ERR_TIMEOUT' });
    await expect(semaphore.acquire({ signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough');
    const waiting = [semaphore.acquire(), semaphore.acquire()];
    semaphore.release();
    semaphore.release();
    await Promise.all(waiting);
    expect(semaphore.permits).toBe(0);
    semaphore.release(5000);
    expect(semaphore.permits).toBe(5000);
    expect(() => semaphore.release(2 ** 30)).toThrow(coded('ERR_OUT_OF_RANGE'));
  });

  test('wakes those of other processes, however many permits come at once', async () => {
    using memory = shared();
    const semaphore = new Semaphore(memory, 0, { permits: 0 });
    const acquire = async ({ ipc, mm, data }: Tools<ReturnType<Mapping['handle']>>): Promise<void> => {
      const theirs = new ipc.Semaphore(mm.attach(data), 0, { permits: 9 });
      for (let i = 0; i < 1000; i++) {
        if (i % 2 === 0) theirs.acquireSync();
        else await theirs.acquire();
      }
    };
    const ends = [run(acquire, memory.handle()), run(acquire, memory.handle())];
    for (let left = 2000; left > 0;) {
      const some = Math.min(left, 7);
      semaphore.release(some);
      left -= some;
      await delay(0);
    }
    expect(await Promise.all(ends)).toMatchObject([{ code: 0 }, { code: 0 }]);
    expect(semaphore.permits).toBe(0);
  });

  test('whose memory was written over is refused', () => {
    using memory = shared();
    memory.view(Int32Array)[0] = -2147483648;
    expect(() => new Semaphore(memory, 0, { permits: 1 }).acquireSync()).toThrow(coded('ERR_CORRUPT'));
  });
});
