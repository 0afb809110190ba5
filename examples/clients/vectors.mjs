// node examples/clients/vectors.mjs    the nearest of two million vectors, which workers search without an index
// oxlint-disable unicorn/require-post-message-target-origin -- these are workers, not windows
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { attach, mmap } from 'mmap-native';
import { compare, randomNumbers, run, short, temporaryFolder } from './lib/common.mjs';

const DIMENSIONS = 256;
const ROW = DIMENSIONS * Float32Array.BYTES_PER_ELEMENT;
/** Views up to this large cost the garbage collector nothing. */
const BLOCK = 16 * 2 ** 20;
const BLOCKS = short ? 8 : 128;
const BEST = 3;

const query = Float32Array.from({ length: DIMENSIONS }, (_, i) => Math.cos(i));
const bestOf = (found) => found.toSorted((a, b) => b.score - a.score).slice(0, BEST);

/** The rows of one block whose product with the query is greatest. */
const search = (block, rows) => {
  let best = [];
  for (let start = 0; start < rows.length; start += DIMENSIONS) {
    let score = 0;
    for (let i = 0; i < DIMENSIONS; i++) score += query[i] * rows[start + i];
    const row = (block * BLOCK) / ROW + start / DIMENSIONS;
    if (best.length < BEST || score > best.at(-1).score) best = bestOf([...best, { row, score }]);
  }
  return best;
};

/** Asks workers the same twice, each for its share of the blocks. */
const ask = async (source) => {
  const count = availableParallelism();
  const workers = Array.from(
    { length: count },
    (_, first) => new Worker(new URL(import.meta.url), { workerData: { ...source, first, count } }),
  );
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  const answers = [];
  for (const question of ['first', 'second']) {
    const began = performance.now();
    for (const worker of workers) worker.postMessage(question);
    const found = await Promise.all(workers.map((worker) => once(worker, 'message')));
    answers.push(bestOf(found.flat(2)).map(({ row }) => row));
    console.log(`  ${question} answer after ${(performance.now() - began).toFixed(0)} ms`);
  }
  for (const worker of workers) worker.unref();
  return answers;
};

const ways = {
  async mapped(file) {
    const mapping = mmap({ backing: 'file', sharing: 'private', file });
    return { answer: await ask({ handle: mapping.handle() }), keep: mapping };
  },

  async SharedArrayBuffer(file) {
    const memory = new SharedArrayBuffer(BLOCKS * BLOCK);
    const fd = openSync(file, 'r');
    for (let offset = 0; offset < memory.byteLength;) offset += readSync(fd, new Uint8Array(memory, offset, BLOCK));
    closeSync(fd);
    return { answer: await ask({ memory }), keep: memory };
  },
};

/** Vectors at random, the same in each block; and three that are near. */
const writeVectors = (file, near) => {
  const random = randomNumbers(1);
  const block = Float32Array.from({ length: BLOCK / Float32Array.BYTES_PER_ELEMENT }, () => random() - 0.5);
  const fd = openSync(file, 'w');
  for (let i = 0; i < BLOCKS; i++) writeSync(fd, block);
  for (const [place, row] of near.entries()) {
    const vector = query.map((value) => value / (1 + place / 10));
    writeSync(fd, vector, 0, ROW, row * ROW);
  }
  closeSync(fd);
};

if (isMainThread) {
  await run(ways, async () => {
    const file = join(temporaryFolder(), 'vectors.f32');
    const rows = (BLOCKS * BLOCK) / ROW;
    const near = [rows - 5, 12_345, rows / 2];
    writeVectors(file, near);
    console.log(`${rows} vectors, ${(statSync(file).size / 1e6).toFixed(0)} MB:`);
    for (const way of Object.keys(ways)) assert.deepEqual(await compare(way, 1, file), [[near, near]]);
  });
} else {
  const { handle, memory, first, count } = workerData;
  const mapping = handle && attach(handle);
  const rowsOf = (block) =>
    mapping
      ? mapping.view(Float32Array, block * BLOCK, BLOCK)
      : new Float32Array(memory, block * BLOCK, BLOCK / Float32Array.BYTES_PER_ELEMENT);
  parentPort.on('message', () => {
    let best = [];
    for (let block = first; block < BLOCKS; block += count) best = bestOf([...best, ...search(block, rowsOf(block))]);
    parentPort.postMessage(best);
  });
}
