import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync, writeSync } from 'node:fs';
import { arch, cpus, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { mmap } from '../mmap.js';
import { type Command, type Outcome, Refusal } from './command.js';
import { digits, table, wrap } from './format.js';
import { runtime } from './runtime.js';

const ROUNDS = 5;

const USAGE = `mmap-native bench [--size MIB] [--json]

Measures, in some seconds and in a temporary folder, what mapping costs and gains on this machine beside the ordinary way: in a file
of MIB mebibytes (64 by default) that is in memory. Each number is the median of ${ROUNDS} rounds, the ways taking turns. It is
a first look, not a benchmark: on a busy machine run it twice.
`;

const MIB = 2 ** 20;
const SMALL = 4096;
const BLOCK = MIB;
const READS = 20_000;
const READ = 64;

interface Way {
  readonly name: string;
  /** What one measurement counts. */
  readonly times: number;
  readonly body: () => unknown;
}

interface Task {
  readonly task: string;
  readonly unit: 'µs each' | 'ms';
  readonly ways: readonly Way[];
}

interface Result {
  readonly task: string;
  readonly unit: string;
  /** The first is the ordinary way. */
  readonly ways: readonly { readonly name: string; readonly median: number; readonly ratio: number }[];
}

const median = (numbers: readonly number[]): number => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0;

const measure = ({ task, unit, ways }: Task): Result => {
  const rounds = ways.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round++) {
    for (const [i, { body, times }] of ways.entries()) {
      const start = performance.now();
      body();
      const spent = ((performance.now() - start) / times) * (unit === 'ms' ? 1 : 1000);
      if (round >= 0) rounds[i]?.push(spent); // the round before the first warms up
    }
  }
  const medians = rounds.map(median);
  const [ordinary = 0] = medians;
  return {
    task,
    unit,
    ways: ways.map(({ name }, i) => ({ name, median: medians[i] ?? 0, ratio: ordinary / (medians[i] ?? 1) })),
  };
};

/** The same places for everybody, all over the file. */
const placesIn = (size: number): number[] => {
  let seed = 1;
  return Array.from({ length: READS }, () => {
    seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0;
    return Math.floor((seed / 2 ** 32) * (size - READ));
  });
};

const sumOf = (words: Uint32Array): number => {
  let sum = 0;
  for (const word of words) sum = (sum + word) | 0;
  return sum;
};

const smallFile = (file: string): Task => ({
  task: `a file of 4 KiB, from its name to its first byte`,
  unit: 'µs each',
  ways: [
    {
      name: 'fs.readFileSync',
      times: 1000,
      body: () => {
        for (let i = 0; i < 1000; i++) readFileSync(file).at(0);
      },
    },
    {
      name: 'mmap, view, unmap',
      times: 1000,
      body: () => {
        for (let i = 0; i < 1000; i++) {
          const mapping = mmap({ backing: 'file', sharing: 'private', file });
          mapping.view(Uint8Array).at(0);
          mapping.unmapSync();
        }
      },
    },
  ],
});

const scattered = (fd: number, view: DataView, size: number): Task => {
  const places = placesIn(size);
  const block = Buffer.alloc(READ);
  return {
    task: `${READ} bytes here and there`,
    unit: 'µs each',
    ways: [
      {
        name: 'fs.readSync',
        times: READS,
        body: () => {
          let sum = 0;
          for (const place of places) {
            readSync(fd, block, 0, READ, place);
            for (let i = 0; i < READ; i += 8) sum += block.readDoubleLE(i);
          }
          return sum;
        },
      },
      {
        name: 'DataView on a mapping',
        times: READS,
        body: () => {
          let sum = 0;
          for (const place of places) for (let i = 0; i < READ; i += 8) sum += view.getFloat64(place + i, true);
          return sum;
        },
      },
    ],
  };
};

const throughout = (fd: number, words: Uint32Array, size: number): Task => {
  const block = new Uint32Array(BLOCK / 4);
  return {
    task: 'all of it, from front to back',
    unit: 'ms',
    ways: [
      {
        name: 'fs.readSync into one buffer',
        times: 1,
        body: () => {
          let sum = 0;
          for (let at = 0; at < size; at += BLOCK) {
            readSync(fd, block, 0, BLOCK, at);
            sum = (sum + sumOf(block)) | 0;
          }
          return sum;
        },
      },
      { name: 'Uint32Array on a mapping', times: 1, body: () => sumOf(words) },
    ],
  };
};

const zeroed = (size: number): Task => {
  const mapped = (hugePages: boolean) => () => {
    const mapping = mmap({ backing: 'anonymous', sharing: 'private', length: size, hugePages });
    touch(mapping.bytes);
    mapping.unmapSync();
  };
  return {
    task: 'as much zeroed memory, a byte of every page written',
    unit: 'ms',
    ways: [
      { name: 'Buffer.alloc', times: 1, body: () => touch(Buffer.alloc(size)) },
      { name: 'anonymous mapping', times: 1, body: mapped(false) },
      { name: 'with hugePages: true', times: 1, body: mapped(true) },
    ],
  };
};

const touch = (buffer: Buffer): Buffer => {
  for (let at = 0; at < buffer.length; at += SMALL) buffer[at] = 1;
  return buffer;
};

/** A file of ones, open for reading. */
const fileOf = (path: string, size: number): number => {
  const block = Buffer.alloc(Math.min(BLOCK, size), 1);
  const fd = openSync(path, 'w+');
  for (let at = 0; at < size; at += block.length) writeSync(fd, block);
  return fd;
};

const measureAll = (size: number): Result[] => {
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-bench-'));
  let fd = -1;
  try {
    const [small, large] = [join(folder, 'small'), join(folder, 'large')];
    closeSync(fileOf(small, SMALL));
    fd = fileOf(large, size);
    const mapping = mmap({ backing: 'file', sharing: 'private', file: fd });
    mapping.populateSync();
    const tasks = [
      smallFile(small),
      scattered(fd, mapping.view(DataView), size),
      throughout(fd, mapping.view(Uint32Array), size),
      zeroed(size),
    ];
    const results = tasks.map(measure);
    mapping.unmapSync();
    return results;
  } finally {
    if (fd >= 0) closeSync(fd);
    rmSync(folder, { recursive: true, force: true });
  }
};

const compared = (ratio: number): string =>
  ratio >= 1 ? `${ratio.toFixed(1)} times as fast` : `${(1 / ratio).toFixed(1)} times as slow`;

const render = (results: readonly Result[], machine: string, columns: number): string => {
  let text = `${machine}\n`;
  for (const { task, unit, ways } of results) {
    text += `\n${task}\n`;
    text += table(
      ways.map(({ name, median: value, ratio }, i) => [
        name,
        `${digits(value)} ${unit}`,
        i === 0 ? '' : compared(ratio),
      ]),
      1,
    );
  }
  return `${text}\n${wrap(`Medians of ${ROUNDS} rounds, files in memory. What a mapping is not good for shows as well: docs/choosing.md.`, columns, '')}`;
};

export const bench: Command = {
  usage: USAGE,
  options: { size: { type: 'string' } },
  words: 0,
  run: (_words, options, columns): Outcome => {
    const mebibytes = Number(options['size'] ?? 64);
    if (!Number.isInteger(mebibytes) || mebibytes < 1 || mebibytes > 2048)
      throw new Refusal('--size takes a number of mebibytes from 1 to 2048', { usage: true });
    const size = mebibytes * MIB;
    const results = measureAll(size);
    const machine = `${cpus()[0]?.model ?? arch()}, Linux ${release()}, ${runtime()}, ${mebibytes} MiB`;
    return { report: { machine, rounds: ROUNDS, size, results }, text: render(results, machine, columns) };
  },
};
