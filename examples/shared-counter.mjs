// node examples/shared-counter.mjs    workers that count together in one mapping
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { attach, mmap, supports } from 'mmap-native';

const WORKERS = 4;
const TIMES = 250_000;

if (isMainThread) {
  const mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: Int32Array.BYTES_PER_ELEMENT });
  const workers = Array.from(
    { length: WORKERS },
    () => new Worker(new URL(import.meta.url), { workerData: mapping.handle() }),
  );
  // the memory must live until all have attached; here, until all have ended
  await Promise.all(workers.map((worker) => once(worker, 'exit')));
  const [count] = mapping.view(Int32Array);
  await mapping.unmap();
  assert.equal(count, WORKERS * TIMES);
  console.log(`${WORKERS} workers added 1 a ${TIMES} times each: ${count}`);
} else {
  const mapping = attach(workerData);
  // what several threads write to is best seen through a SharedArrayBuffer: docs/safety.md
  const counter = supports('sharedBuffer') ? mapping.sharedView(Int32Array) : mapping.view(Int32Array);
  for (let i = 0; i < TIMES; i++) Atomics.add(counter, 0, 1);
  mapping.unmapSync();
}
