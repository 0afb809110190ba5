// Processes of one runtime that talk to each other.
import assert from 'node:assert';
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { mmap, runtime } from '../harness.mjs';

const target = process.env.MMAP_NATIVE ?? new URL('../../../dist/index.js', import.meta.url).href;
const { Channel, Mutex, Queue, Semaphore, notify, wait, waitSync } = await import(new URL('ipc/index.js', target).href);
const file = fileURLToPath(new URL('../peer.mjs', import.meta.url));

/** Another process that runs the function, which must refer to nothing else; and how it ended. */
const start = (body, data) => {
  const flags = runtime === 'deno' ? ['run', '-A', '--quiet'] : [];
  // run.mjs says what the runtime itself is run by, if it is one of another CPU
  const [command, ...words] = [...JSON.parse(process.env.MMAP_EMULATOR ?? '[]'), process.execPath];
  const child = spawn(command, [...words, ...flags, file, target, String(body), JSON.stringify(data)], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const end = new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
  return { child, end };
};

const shared = () => mmap({ backing: 'anonymous', sharing: 'shared', length: 65536 });

/** Until a word is what it should be. */
const until = async (words, index, value) => {
  for (let seen; (seen = Atomics.load(words, index)) !== value;) await wait(words, index, seen);
};

export const cases = {
  'waitSync() wakes, and is woken by, another process': async () => {
    const memory = shared();
    const words = memory.view(Int32Array);
    const { end } = start(({ ipc, mm, data }) => {
      const theirs = mm.attach(data).view(Int32Array);
      for (let i = 0; i < 2000; i++) {
        while (Atomics.load(theirs, 0) !== 2 * i + 1) ipc.waitSync(theirs, 0, 2 * i);
        Atomics.store(theirs, 0, 2 * i + 2);
        ipc.notify(theirs, 0);
      }
    }, memory.handle());
    for (let i = 0; i < 2000; i++) {
      Atomics.store(words, 0, 2 * i + 1);
      notify(words, 0);
      while (Atomics.load(words, 0) !== 2 * i + 2) waitSync(words, 0, 2 * i + 1);
    }
    assert.equal(await end, 0);
  },

  'wait() wakes, and is woken by, another process, and lets the event loop end': async () => {
    const memory = shared();
    const words = memory.view(Int32Array);
    const { end } = start(async ({ ipc, mm, data }) => {
      const theirs = mm.attach(data).view(Int32Array);
      for (let i = 0; i < 1000; i++) {
        while (Atomics.load(theirs, 0) !== 2 * i + 1) await ipc.wait(theirs, 0, 2 * i);
        Atomics.store(theirs, 0, 2 * i + 2);
        ipc.notify(theirs, 0);
      }
    }, memory.handle());
    for (let i = 0; i < 1000; i++) {
      Atomics.store(words, 0, 2 * i + 1);
      notify(words, 0);
      await until(words, 0, 2 * i + 2);
    }
    assert.equal(await end, 0);
    await assert.rejects(wait(words, 1, 0, { signal: AbortSignal.timeout(5) }));
    assert.equal(await wait(words, 1, 0, { timeout: 5 }), 'timed-out');
  },

  'a Mutex and a Semaphore count exactly': async () => {
    const memory = shared();
    const peers = [1, 2].map(() =>
      start(async ({ ipc, mm, data }) => {
        const theirs = mm.attach(data);
        const words = theirs.view(Int32Array);
        const mutex = new ipc.Mutex(theirs, 8);
        const semaphore = new ipc.Semaphore(theirs, 16, { permits: 1 });
        for (let i = 0; i < 2000; i++) {
          const guard = i % 2 === 0 ? mutex.lockSync() : await mutex.lock();
          words[0]++;
          guard.unlock();
          if (i % 2 === 0) semaphore.acquireSync();
          else await semaphore.acquire();
          words[1]++;
          semaphore.release();
        }
      }, memory.handle()),
    );
    for (const { end } of peers) assert.equal(await end, 0);
    assert.deepEqual([...memory.view(Int32Array).subarray(0, 3)], [4000, 4000, 0]);
    assert.equal(new Semaphore(memory, 16, { permits: 9 }).permits, 1);
  },

  'a Mutex whose owner was killed tells the next one': async () => {
    const memory = shared();
    const mutex = new Mutex(memory, 0);
    const { end } = start(({ ipc, mm, data }) => {
      globalThis.kept = new ipc.Mutex(mm.attach(data), 0).lockSync();
      process.kill(process.pid, 'SIGKILL');
    }, memory.handle());
    assert.equal(await end, 'SIGKILL');
    assert.throws(() => mutex.lockSync(), { code: 'ERR_OWNER_DIED' });
    mutex.recover(() => undefined);
    (await mutex.lock()).unlock();
  },

  'a Queue carries 20,000 messages in each of the four ways': async () => {
    for (const [writing, reading] of [
      ['sync', 'sync'],
      ['sync', 'async'],
      ['async', 'sync'],
      ['async', 'async'],
    ]) {
      const queue = Queue.create({ capacity: 4000 });
      const { end } = start(
        async ({ ipc, data }) => {
          const producer = ipc.Queue.attach(data.handle).producer();
          for (let i = 0; i < 5000; i++) {
            const message = new Uint8Array(i % 300).fill(i);
            if (data.writing === 'sync') producer.writeSync(message);
            else await producer.write(message);
          }
          producer.end();
        },
        { handle: queue.handle(), writing },
      );
      const consumer = queue.consumer();
      for (let i = 0; i < 5000; i++) {
        const message = reading === 'sync' ? consumer.readSync() : await consumer.read();
        assert.equal(message.length, i % 300);
        assert.ok(message.every((byte) => byte === (i & 255)));
      }
      assert.equal(await consumer.read(), undefined);
      assert.equal(await end, 0);
      consumer.close();
      queue.close();
    }
  },

  'whoever waits for a peer that is killed is told': async () => {
    for (const reading of ['sync', 'async']) {
      const queue = Queue.create({ capacity: 4000 });
      const consumer = queue.consumer();
      const { end } = start(({ ipc, data }) => {
        globalThis.kept = ipc.Queue.attach(data).producer();
        globalThis.kept.writeSync(new Uint8Array(1));
        process.kill(process.pid, 'SIGKILL');
      }, queue.handle());
      assert.equal((await consumer.read()).length, 1);
      if (reading === 'sync') assert.throws(() => consumer.readSync(), { code: 'ERR_PEER_DIED' });
      else await assert.rejects(consumer.read(), { code: 'ERR_PEER_DIED' });
      assert.equal(await end, 'SIGKILL');
    }
  },

  'a Channel carries values both ways, and ends': async () => {
    const channel = Channel.create();
    const { end } = start(async ({ ipc, data }) => {
      const theirs = ipc.Channel.attach(data);
      for await (const value of theirs.values()) await theirs.send(value);
      theirs.close();
    }, channel.handle());
    const value = { map: new Map([[1, 'one']]), bytes: new Uint8Array(3) };
    for (let i = 0; i < 100; i++) {
      await channel.send(value);
      assert.deepEqual(await channel.receive(), value);
    }
    channel.close();
    assert.equal(await end, 0);
  },

  'a worker that is blocked in waitSync() can be terminated': async () => {
    const memory = shared();
    const words = memory.view(Int32Array);
    const code = `
      const [{ attach }, { waitSync, notify }] = await Promise.all([import('${target}'), import('${new URL('ipc/index.js', target).href}')]);
      const { workerData } = await import('node:worker_threads');
      const theirs = attach(workerData).view(Int32Array);
      Atomics.store(theirs, 1, 1);
      notify(theirs, 1);
      waitSync(theirs, 0, 0);`;
    const url = new URL(`data:text/javascript,${encodeURIComponent(code)}`);
    const worker = new Worker(url, { workerData: memory.handle() });
    await until(words, 1, 1);
    await worker.terminate();
  },
};
