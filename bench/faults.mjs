// node bench/faults.mjs > bench/results/faults.json: what a fault costs, and what a mapping pays for being guarded. Nanoseconds;
// medians over rounds, with the quartiles. Run `npm run -s prepare` before.
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { mmap } from '../dist/index.js';

const PAGE = 4096;
const PAGES = 20_000;
const ROUNDS = 15;
const folder = mkdtempSync(join(tmpdir(), 'mmap-native-bench-'));
const file = join(folder, 'file');
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

const now = () => Number(process.hrtime.bigint());
const at = (sorted, part) => Math.round(sorted[Math.floor((sorted.length - 1) * part)]);
const summary = (samples) => {
  const sorted = samples.toSorted((a, b) => a - b);
  return { median: at(sorted, 0.5), quartiles: [at(sorted, 0.25), at(sorted, 0.75)], rounds: sorted.length };
};

const map = (options) => mmap({ backing: 'file', sharing: 'shared', file, ...options });
/** Page 0, 7919, 15838, …: no neighbours, each once. */
const scattered = Array.from({ length: 200 }, (_, i) => (i * 7919) % PAGES);
const inOrder = Array.from({ length: PAGES }, (_, i) => i);

let sink = 0;
const reading = (bytes, pages) => {
  let sum = 0;
  for (const page of pages) sum += bytes[page * PAGE];
  sink += sum;
};
const writing = (bytes, pages) => {
  for (const page of pages) bytes[page * PAGE] = 1;
};

/** Nanoseconds a page, of a fresh mapping. */
const perPage = ({ options, cut = false, prepare, touch, pages }) => {
  const samples = [];
  for (let round = 0; round < ROUNDS; round++) {
    writeFileSync(file, Buffer.alloc(PAGES * PAGE, 1));
    const mapping = map(options);
    const { bytes } = mapping;
    if (cut) truncateSync(file, 0);
    prepare?.(bytes, pages);
    const start = now();
    touch(bytes, pages);
    samples.push((now() - start) / pages.length);
    try {
      mapping.unmapSync();
    } catch (error) {
      if (error.code !== 'ERR_LOST_WRITES') throw error;
    }
  }
  return summary(samples);
};
const writable = { access: 'readwrite' };

const faults = {
  'for comparison: first touch of a page that is there': perPage({ touch: reading, pages: scattered }),
  'read behind the end, scattered': perPage({ cut: true, touch: reading, pages: scattered }),
  'read behind the end, one after the other': perPage({ cut: true, touch: reading, pages: inOrder }),
  'write behind the end, scattered': perPage({ options: writable, cut: true, touch: writing, pages: scattered }),
  'write behind the end, one after the other': perPage({
    options: writable,
    cut: true,
    touch: writing,
    pages: inOrder,
  }),
  'write to zeros that were read before, scattered': perPage({
    options: writable,
    cut: true,
    prepare: reading,
    touch: writing,
    pages: scattered,
  }),
  'write where there is only reading, scattered': perPage({ touch: writing, pages: scattered }),
  'write where there is only reading, one after the other': perPage({ touch: writing, pages: inOrder }),
};

/** Nanoseconds for mmap() and unmapSync(), guarded and not, in turns, with so many mappings alive. */
const registering = (alive) => {
  const COUNT = 500;
  writeFileSync(file, Buffer.alloc(PAGE));
  const kept = Array.from({ length: alive }, () => map());
  const samples = { report: [], signal: [] };
  for (let round = 0; round < 2 * ROUNDS; round++) {
    for (const onFault of ['report', 'signal']) {
      const start = now();
      for (let i = 0; i < COUNT; i++) map({ onFault }).unmapSync();
      samples[onFault].push((now() - start) / COUNT);
    }
  }
  for (const mapping of kept) mapping.unmapSync();
  const [guarded, unguarded] = [summary(samples.report), summary(samples.signal)];
  const difference = summary(samples.report.map((each, round) => each - samples.signal[round]));
  return { alive, guarded, unguarded, difference };
};

const counting = () => {
  const mapping = map();
  const COUNT = 1_000_000;
  const samples = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = now();
    for (let i = 0; i < COUNT; i++) sink += mapping.faultCount;
    samples.push(((now() - start) / COUNT) * 10);
  }
  mapping.unmapSync();
  const { median, quartiles, rounds } = summary(samples);
  return { median: median / 10, quartiles: quartiles.map((each) => each / 10), rounds };
};

const result = {
  machine: { cpu: cpus()[0].model, cores: cpus().length, kernel: release(), node: process.version },
  unit: 'nanoseconds',
  faults,
  mapAndUnmap: [registering(1), registering(50_000)],
  faultCount: counting(),
};
console.log(JSON.stringify(result, null, 2));
process.exitCode = Number.isNaN(sink) ? 1 : 0;
