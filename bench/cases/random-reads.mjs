import { fstatSync, openSync, readSync } from 'node:fs';
import { nextDraw } from '../harness/draw.mjs';
import { GiB, makeFile, MiB } from '../harness/files.mjs';
import { library, libraryWithShared } from '../harness/library.mjs';
import { mmapIo } from '../harness/opponents.mjs';

const RECORD = 64;
/** The number of records is a power of two, so that a place is drawn without a division. */
const NUMBERS = RECORD / 8;

/** An operation over memory: the eight numbers of a random record. Written out, as gcc does with the loop. */
const overNumbers = (numbers) => {
  const mask = numbers.length - NUMBERS;
  let seed = 1;
  return warmed((operations) => {
    let state = seed;
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      state = nextDraw(state);
      const at = state & mask;
      sum += numbers[at] + numbers[at | 1] + numbers[at | 2] + numbers[at | 3];
      sum += numbers[at | 4] + numbers[at | 5] + numbers[at | 6] + numbers[at | 7];
    }
    seed = state;
    return sum;
  });
};

/** Many short turns first, so that V8 compiles the whole function, and not a loop in the middle of its run. */
const warmed = (work) => {
  for (let i = 0; i < 500; i++) work(1000);
  return work;
};

/** The same with a DataView. */
const overView = (view) => {
  const mask = view.byteLength / RECORD - 1;
  let seed = 1;
  return warmed((operations) => {
    let state = seed;
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      state = nextDraw(state);
      const at = (state & mask) * RECORD;
      for (let byte = 0; byte < RECORD; byte += 8) sum += view.getFloat64(at + byte, true);
    }
    seed = state;
    return sum;
  });
};

/** An operation that copies: `fill(record)` gets one into `numbers`. */
const copying = (numbers, records, fill) => {
  const mask = records - 1;
  let seed = 1;
  return warmed((operations) => {
    let state = seed;
    let sum = 0;
    for (let i = 0; i < operations; i++) {
      state = nextDraw(state);
      fill(state & mask);
      sum += numbers[0] + numbers[1] + numbers[2] + numbers[3] + numbers[4] + numbers[5] + numbers[6] + numbers[7];
    }
    seed = state;
    return sum;
  });
};

const map = async (file, load = library) => {
  const { mmap } = await load();
  return mmap({ backing: 'file', sharing: 'private', file });
};

export default {
  name: 'random-reads',
  order: 4,
  inShort: true,
  title: 'Random 64-byte reads of a warm file',
  about:
    'The file lies in the page cache. Every contestant draws the same places, and adds up the eight numbers there. ' +
    'Most of the time of the mapped ones is the memory’s own: each read misses the caches and the TLB, and how many are in flight at once ' +
    'depends on how few instructions a read has.',
  unit: 'read',
  baseline: 'C: over a map',
  targetMs: 60,
  prepare: ({ directory, short }) => ({ file: makeFile(directory, short ? 64 * MiB : GiB) }),
  contestants: {
    'C: over a map': { c: ({ parameters }) => ['random-reads', parameters.file] },
    'C: pread': { c: ({ parameters }) => ['random-preads', parameters.file] },
    'view(Float64Array)': {
      setup: async ({ parameters }) => overNumbers((await map(parameters.file)).view(Float64Array)),
    },
    'sharedView(Float64Array)': {
      setup: async ({ parameters }) =>
        overNumbers((await map(parameters.file, libraryWithShared)).sharedView(Float64Array)),
    },
    'view(DataView)': { setup: async ({ parameters }) => overView((await map(parameters.file)).view(DataView)) },
    'read(into)': {
      async setup({ parameters }) {
        const mapping = await map(parameters.file);
        const numbers = new Float64Array(NUMBERS);
        return copying(numbers, mapping.length / RECORD, (record) =>
          mapping.read(numbers, { offset: record * RECORD, length: RECORD }),
        );
      },
    },
    'fs.readSync': {
      async setup({ parameters }) {
        const fd = openSync(parameters.file);
        const numbers = new Float64Array(NUMBERS);
        return copying(numbers, fstatSync(fd).size / RECORD, (record) =>
          readSync(fd, numbers, 0, RECORD, record * RECORD),
        );
      },
    },
    '@riaskov/mmap-io': {
      runtime: 'node20',
      async setup({ parameters }) {
        const { map: mmap, PROT_READ, MAP_PRIVATE } = mmapIo();
        const fd = openSync(parameters.file);
        const bytes = mmap(fstatSync(fd).size, PROT_READ, MAP_PRIVATE, fd);
        return overNumbers(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8));
      },
    },
    'Bun.mmap': {
      runtime: 'bun',
      async setup({ parameters }) {
        const bytes = globalThis.Bun.mmap(parameters.file);
        return overNumbers(new Float64Array(bytes.buffer, bytes.byteOffset, bytes.length / 8));
      },
    },
  },
  aims: [
    { contestant: 'view(Float64Array)', against: 'C: over a map', atMost: 1.1 },
    { contestant: 'view(Float64Array)', against: 'fs.readSync', atMost: 0.3 },
  ],
};
