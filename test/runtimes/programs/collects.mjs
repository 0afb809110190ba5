// FILE: maps 1 GiB a thousand times beside a heap of 300 MB; --trace-gc says what that made the collector do.
import { truncateSync } from 'node:fs';
import { gc, mmap } from '../harness.mjs';

const GIB = 2 ** 30;
const MIB = 2 ** 20;
const file = process.argv.at(-1);
truncateSync(file, GIB);
const heap = Array.from({ length: 3_000_000 }, (_, i) => ({ i, text: `number ${i}` }));
if (process.memoryUsage().heapUsed < 300e6) throw new Error('the heap is too small to tell');
gc();
console.log('BEGIN');
for (let i = 0; i < 1000; i++) {
  const mapping = mmap({ backing: 'file', sharing: 'shared', file });
  if (mapping.view(Uint8Array, i * MIB, MIB)[i] !== 0) throw new Error('not what is in the file');
  mapping.unmapSync();
}
console.log('END');
if (heap.at(-1).i !== heap.length - 1) throw new Error('the heap was not kept');
