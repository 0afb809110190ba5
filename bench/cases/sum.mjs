import { createReadStream, fstatSync, openSync, readFileSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { GiB, makeFile, MiB } from '../harness/files.mjs';
import { library, libraryWithShared } from '../harness/library.mjs';
import { numbersOf, sumNumbers } from '../harness/work.mjs';

const CHUNK = MiB;

const repeat = (work) => (operations) => {
  for (let i = 0; i < operations; i++) work();
};

const mapped = (method) => ({
  async setup({ parameters }) {
    const { mmap } = await (method === 'sharedView' ? libraryWithShared() : library());
    const view = mmap({ backing: 'file', sharing: 'private', file: parameters.file })[method](Float64Array);
    return repeat(() => sumNumbers(view));
  },
});

export default {
  name: 'sum',
  order: 5,
  title: 'The sum of a warm file, read once from front to back',
  about:
    'A sum of float64. gcc -O2 and V8 both add one number after the other here, as IEEE wants it. Reading into a buffer that is ' +
    'used again is the strongest opponent: the copy stays in the CPU’s cache. readFile has to make its gigabyte first.',
  unit: 'pass',
  baseline: 'C: over a map',
  operations: 1,
  rounds: 11,
  prepare: ({ directory, short }) => ({ file: makeFile(directory, short ? 64 * MiB : GiB) }),
  shown: ['minorFaults', 'ownBytes', 'fileBytes'],
  contestants: {
    'C: over a map': { c: ({ parameters }) => ['sum', parameters.file] },
    'C: pread of 1 MiB': { c: ({ parameters }) => ['sum-pread', parameters.file, CHUNK] },
    'view(Float64Array)': mapped('view'),
    'sharedView(Float64Array)': mapped('sharedView'),
    'readSync of 1 MiB': {
      async setup({ parameters }) {
        const fd = openSync(parameters.file);
        const numbers = new Float64Array(CHUNK / 8);
        const { size } = fstatSync(fd);
        return repeat(() => {
          let sum = 0;
          for (let at = 0; at < size; at += CHUNK) {
            readSync(fd, numbers, 0, CHUNK, at);
            sum += sumNumbers(numbers);
          }
          return sum;
        });
      },
    },
    'await read of 1 MiB': {
      async setup({ parameters }) {
        const file = await open(parameters.file);
        const numbers = new Float64Array(CHUNK / 8);
        const { size } = await file.stat();
        return async () => {
          for (let at = 0; at < size; at += CHUNK) {
            await file.read(numbers, 0, CHUNK, at);
            sumNumbers(numbers);
          }
        };
      },
    },
    createReadStream: {
      setup:
        async ({ parameters }) =>
        async () => {
          const stream = createReadStream(parameters.file, { highWaterMark: CHUNK });
          for await (const chunk of stream) sumNumbers(numbersOf(chunk));
        },
    },
    readFileSync: {
      setup: async ({ parameters }) => repeat(() => sumNumbers(numbersOf(readFileSync(parameters.file)))),
    },
    'Bun.mmap': {
      runtime: 'bun',
      setup: async ({ parameters }) => {
        const numbers = numbersOf(globalThis.Bun.mmap(parameters.file));
        return repeat(() => sumNumbers(numbers));
      },
    },
  },
  aims: [{ contestant: 'view(Float64Array)', against: 'C: over a map', atMost: 1.3 }],
};
