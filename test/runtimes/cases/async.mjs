// Work of the runtime's own, in its own threads, on memory that is unmapped meanwhile: a result or an error, no crash.
import assert from 'node:assert/strict';
import { randomFill, scrypt } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile, writeFile } from 'node:fs';
import { open as openHandle } from 'node:fs/promises';
import { createServer, connect } from 'node:net';
import { brotliCompress, createGzip, deflate, gzip, inflate } from 'node:zlib';
import { areas, makeFile, mapFile, mappings, startWorker, until } from '../harness.mjs';

const LENGTH = 8 << 20;
const ROUNDS = 2;

const oneRound = async (starts, unmap) => {
  const path = makeFile(LENGTH, 7);
  const mapping = mapFile(path);
  const { bytes } = mapping;
  const jobs = starts.map((start) => new Promise((resolve) => start(bytes, resolve)));
  await unmap(mapping);
  assert.deepEqual(areas(path), [], 'the file is let go at once');
  await Promise.all(jobs);
};

/** Runs jobs that take a callback, unmaps with them in flight, and waits until each has called back. */
const unmapUnder = async (...starts) => {
  for (let round = 0; round < ROUNDS; round++) {
    await oneRound(starts, (mapping) => mapping.unmapSync());
    await oneRound(starts, (mapping) => mapping.unmap());
  }
  await until(() => mappings().length === 0, 'the addresses are given back');
};

/** The runtime's own stream code may find its input detached between two chunks, and says so with a RangeError or TypeError. */
const waiting = [];
const tolerateDetached = () => {
  const expected = (error) => {
    assert.ok(error instanceof RangeError || error instanceof TypeError, String(error));
    for (const resolve of waiting.splice(0)) resolve();
  };
  process.on('uncaughtException', expected).on('unhandledRejection', expected);
};
const withCallback = (job) => (bytes, resolve) => {
  waiting.push(resolve);
  job(bytes, resolve);
};

export const terminated = (path, port) => {
  const mapping = mapFile(path);
  globalThis.kept = [mapping, mapping.view(Uint8Array)];
  for (let i = 0; i < 4; i++) {
    void mapping.sync();
    void mapping.residency();
    void mapping.populate({ write: true });
    deflate(mapping.bytes, () => {});
    randomFill(mapping.bytes, () => {});
  }
  port.postMessage('ready');
  setInterval(() => {}, 1000);
};

export const terminatedInUnmap = (path, port) => {
  for (let i = 0; i < 8; i++) {
    const mapping = mapFile(path);
    mapping.bytes.fill(i);
    void mapping.sync();
    void mapping.unmap();
  }
  port.postMessage('ready');
};

export const terminatedWhileMapping = (path, port) => {
  port.postMessage('ready');
  for (;;) {
    const mapping = mapFile(path);
    mapping.bytes[0] = 1;
    mapping.unmapSync();
  }
};

const terminate = async (task) => {
  const path = makeFile(LENGTH, 7);
  for (let round = 0; round < ROUNDS; round++) {
    const { worker, next } = startWorker(import.meta.url, task, path);
    assert.equal(await next(), 'ready');
    await worker.terminate();
  }
  await until(() => areas(path).length === 0, 'the file is let go');
};

export const cases = {
  async 'zlib on a view that is unmapped'() {
    tolerateDetached();
    await unmapUnder(withCallback(deflate), withCallback(gzip));
  },

  async 'inflate and brotli on a view that is unmapped'() {
    tolerateDetached();
    await unmapUnder(withCallback(inflate), withCallback(brotliCompress));
  },

  async 'a gzip stream on a view that is unmapped'() {
    tolerateDetached();
    await unmapUnder(
      withCallback((bytes, resolve) => {
        const stream = createGzip();
        stream
          .on('data', () => {})
          .on('error', resolve)
          .on('end', resolve);
        stream.end(bytes.subarray(0, 1 << 20));
      }),
    );
  },

  async 'crypto.randomFill and scrypt on a view that is unmapped'() {
    tolerateDetached();
    await unmapUnder(
      withCallback((bytes, resolve) => randomFill(bytes, resolve)),
      withCallback((bytes, resolve) => randomFill(bytes, 5, 1 << 20, resolve)),
      withCallback((bytes, resolve) => scrypt(bytes.subarray(0, 1 << 16), bytes.subarray(8, 64), 64, resolve)),
    );
  },

  async 'fs reads and writes on a view that is unmapped'() {
    const [from, to] = [makeFile(LENGTH, 1), makeFile(0)];
    const source = await openHandle(from);
    const sink = await openHandle(to, 'w');
    await unmapUnder(
      (bytes, resolve) => source.read(bytes, 0, bytes.length, 0).then(resolve, resolve),
      (bytes, resolve) => sink.write(bytes, 0, bytes.length, 0).then(resolve, resolve),
      (bytes, resolve) => sink.writev([bytes.subarray(0, 4096), bytes.subarray(8192)]).then(resolve, resolve),
      (bytes, resolve) => writeFile(to, bytes, resolve),
      (_bytes, resolve) => readFile(from, resolve),
      (_bytes, resolve) => open(from, (_error, fd) => resolve(fd)),
    );
    await source.close();
    await sink.close();
  },

  async 'net writes of a view that is unmapped'() {
    // a server that is slow to read, so that a write is in flight for long
    const server = createServer((socket) => setTimeout(() => socket.on('error', () => {}).resume(), 50));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const sockets = Array.from({ length: 2 * ROUNDS }, () => connect(server.address().port, '127.0.0.1').resume());
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    await unmapUnder((bytes, resolve) => {
      const socket = sockets.pop();
      socket.on('error', () => {}).on('close', resolve);
      socket.write(bytes);
      socket.write(bytes.subarray(0, 100));
      // a socket whose buffer was detached may never end by itself, whoever detached it
      setTimeout(() => socket.destroy(), 100);
    });
    server.close();
  },

  async 'terminate() with views and jobs of every kind in flight'() {
    await terminate('terminated');
  },

  async 'terminate() with unmaps in flight'() {
    await terminate('terminatedInUnmap');
  },

  async 'terminate() in the middle of mapping'() {
    await terminate('terminatedWhileMapping');
  },
};
