import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { mmap, type Mapping } from '../../lib/index.js';
import { notify, wait, waitSync } from '../../lib/ipc/index.js';
import { native } from '../../lib/native.js';
import { program, run, start } from './support.js';

const shared = (length = 65536): Mapping => mmap({ backing: 'anonymous', sharing: 'shared', length });
const threads = (): number => readdirSync('/proc/self/task').length;
const runner = new URL('runner.mjs', import.meta.url);

describe('in one thread', () => {
  test('waitSync() and wait() answer as Atomics.wait does', async () => {
    using memory = shared();
    const words = memory.view(Int32Array);
    expect(waitSync(words, 0, 1)).toBe('not-equal');
    expect(waitSync(words, 0, 0, 5)).toBe('timed-out');
    expect(await wait(words, 0, 1)).toBe('not-equal');
    expect(await wait(words, 0, 0, { timeout: 5 })).toBe('timed-out');
    const woken = wait(words, 0, 0);
    Atomics.store(words, 0, 1);
    notify(words, 0);
    expect(await woken).toBe('ok');
  });

  test('an aborted wait is rejected with the reason, before and after it began', async () => {
    using memory = shared();
    const words = memory.view(Int32Array);
    const controller = new AbortController();
    const waiting = wait(words, 0, 0, { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect(wait(words, 0, 0, { signal: controller.signal })).rejects.toThrow('enough');
  });

  test('memory that is not shared is refused, and so are arguments that make no sense', async () => {
    using own = mmap({ backing: 'anonymous', sharing: 'private', length: 4096 });
    const refused = expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' });
    expect(() => waitSync(own.view(Int32Array), 0, 0, 1)).toThrow(refused);
    expect(() => waitSync(new Int32Array(4), 0, 0, 1)).toThrow(refused);
    await expect(wait(new Int32Array(4), 0, 0)).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
    const words = new Int32Array(2);
    const range = expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' });
    expect(() => waitSync(words, 2, 0)).toThrow(range);
    expect(() => waitSync(words, -1, 0)).toThrow(range);
    expect(() => waitSync(words, 0, 0.5)).toThrow(range);
    expect(() => waitSync(words, 0, 0, -1)).toThrow(range);
    expect(() => waitSync(words, 0, 0, Number.NaN)).toThrow(range);
    expect(() => notify(words, 0, -1)).toThrow(range);
    expect(() => waitSync({} as Int32Array, 0, 0)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }));
  });

  test('ten thousand waits pend at once, on no thread of the pool, and each hears its own notify()', async () => {
    const before = threads();
    using memory = shared(4 * 10_000);
    const words = memory.view(Int32Array);
    const results = Array.from({ length: 10_000 }, (_, i) => wait(words, i, 0));
    // a helper has 127 places
    expect(threads() - before).toBeGreaterThanOrEqual(Math.ceil(10_000 / 127) - 1);
    expect(threads() - before).toBeLessThanOrEqual(Math.ceil(10_000 / 127));
    for (let i = 0; i < 10_000; i++) {
      Atomics.store(words, i, i + 1);
      notify(words, i);
    }
    expect(new Set(await Promise.all(results))).toEqual(new Set(['ok']));
  });

  test('a pending wait keeps the memory mapped after unmap(), and no longer', async () => {
    const memory = shared();
    const { name } = memory.handle();
    const mapped = (): boolean => readFileSync('/proc/self/maps', 'utf8').includes(name);
    const controller = new AbortController();
    const waiting = wait(memory.view(Int32Array), 0, 0, { signal: controller.signal });
    memory.unmapSync();
    expect(mapped()).toBe(true);
    controller.abort(new Error('enough'));
    await expect(waiting).rejects.toThrow('enough');
    await expect.poll(mapped).toBe(false);
  });
});

describe('between processes', () => {
  test('a blocked process is woken by another one, with the number that were woken', async () => {
    using memory = shared();
    const words = memory.view(Int32Array);
    const child = start(({ ipc, mm, data, report }) => {
      const theirs = mm.attach(data).view(Int32Array);
      report('ready');
      report(ipc.waitSync(theirs, 0, 0));
    }, memory.handle());
    await child.next();
    let woken = 0;
    // it may not sleep yet: then nobody was woken, and nothing has changed for it to see
    while (woken === 0) {
      woken = notify(words, 0);
      await delay(1);
    }
    expect(woken).toBe(1);
    expect(await child.next()).toBe('ok');
  });

  test('read-only peers can sleep, and cannot write', async () => {
    using memory = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096, peers: 'readonly' });
    const words = memory.view(Int32Array);
    const child = start(async ({ ipc, mm, data, report }) => {
      const theirs = mm.attach({ ...data, access: 'read' });
      const waiting = ipc.wait(theirs.view(Int32Array), 0, 0);
      report('waiting');
      report(await waiting);
      try {
        theirs.protect('readwrite');
      } catch (error) {
        report((error as { code: string }).code);
      }
    }, memory.handle());
    await child.next();
    Atomics.store(words, 0, 1);
    notify(words, 0);
    expect(await child.next()).toBe('ok');
    expect(await child.next()).toBe('EACCES');
  });

  test('no wake-up is lost between two processes that wait for each other 20,000 times, and none is found late', async () => {
    using memory = shared();
    const words = memory.view(Int32Array);
    const child = start(async ({ ipc, mm, data, report }) => {
      const theirs = mm.attach(data).view(Int32Array);
      for (let i = 0; i < 20_000; i++) {
        while (Atomics.load(theirs, 0) !== 2 * i + 1) await ipc.wait(theirs, 0, 2 * i);
        Atomics.store(theirs, 0, 2 * i + 2);
        ipc.notify(theirs, 0);
      }
      report('done');
    }, memory.handle());
    for (let i = 0; i < 20_000; i++) {
      Atomics.store(words, 0, 2 * i + 1);
      notify(words, 0);
      while (Atomics.load(words, 0) !== 2 * i + 2) await wait(words, 0, 2 * i + 1);
    }
    expect(await child.next()).toBe('done');
    expect(native.ipc.foundLate()).toBe(0);
  });
});

describe('ending while somebody waits', () => {
  const worker = (body: Parameters<typeof program>[0], data: unknown): Worker =>
    new Worker(runner, { argv: [program(body, data)], stdout: false });

  test('a worker that is blocked in waitSync() can be terminated', async () => {
    using memory = shared();
    const words = memory.view(Int32Array);
    const blocked = worker(({ ipc, mm, data }) => {
      const theirs = mm.attach(data as never).view(Int32Array);
      Atomics.store(theirs, 1, 1);
      ipc.notify(theirs, 1);
      ipc.waitSync(theirs, 0, 0);
    }, memory.handle());
    while (Atomics.load(words, 1) === 0) await wait(words, 1, 0);
    expect(await blocked.terminate()).toBe(1);
  });

  test('a process can exit with a worker that is blocked in waitSync()', async () => {
    using memory = shared();
    const end = await run(
      async ({ ipc, mm, data }) => {
        const threads = process.getBuiltinModule('node:worker_threads');
        const words = mm.attach(data.memory).view(Int32Array);
        const code = `(${data.body})`;
        (globalThis as { kept?: unknown }).kept = new threads.Worker(data.runner, {
          argv: [JSON.stringify({ code, data: data.memory })],
        });
        while (Atomics.load(words, 1) === 0) await ipc.wait(words, 1, 0);
        process.exit(3);
      },
      {
        memory: memory.handle(),
        runner: runner.pathname,
        body: `({ ipc, mm, data }) => {
          const theirs = mm.attach(data).view(Int32Array);
          Atomics.store(theirs, 1, 1);
          ipc.notify(theirs, 1);
          ipc.waitSync(theirs, 0, 0);
        }`,
      },
    );
    expect(end).toMatchObject({ code: 3, signal: null });
  });

  test('a worker that is terminated with waits pending leaves no thread behind', async () => {
    using memory = shared();
    const words = memory.view(Int32Array);
    await wait(words, 2, 0, { timeout: 1 });
    const before = threads();
    const waiting = worker(({ ipc, mm, data }) => {
      const theirs = mm.attach(data as never).view(Int32Array);
      for (let i = 0; i < 500; i++) void ipc.wait(theirs, 100 + i, 0);
      Atomics.store(theirs, 1, 1);
      ipc.notify(theirs, 1);
    }, memory.handle());
    while (Atomics.load(words, 1) === 0) await wait(words, 1, 0);
    await waiting.terminate();
    expect(threads()).toBe(before);
  });

  test('the event loop runs while a wait is pending, and ends with it', async () => {
    using memory = shared();
    const words = memory.view(Int32Array);
    const child = start(async ({ ipc, mm, data, report }) => {
      const theirs = mm.attach(data).view(Int32Array);
      const waiting = ipc.wait(theirs, 0, 0);
      report('waiting');
      report(await waiting);
    }, memory.handle());
    await child.next();
    await delay(50);
    expect(child.process.exitCode).toBeNull();
    Atomics.store(words, 0, 1);
    notify(words, 0);
    expect(await child.next()).toBe('ok');
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
