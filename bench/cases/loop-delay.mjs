import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { GiB, makeFile, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';
import { dirtyPages } from '../harness/work.mjs';

/** Runs the work with the event loop watched, as long as it takes and a moment longer. */
const watched = async (work) => {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  await sleep(20);
  delay.enable();
  await sleep(5);
  const start = process.hrtime.bigint();
  await work();
  const ns = Number(process.hrtime.bigint() - start);
  await sleep(5);
  delay.disable();
  return { ns, p99Ms: delay.percentile(99) / 1e6, maxMs: delay.max / 1e6 };
};

const dirtyFile = (sync) => ({
  async setup({ parameters }) {
    const { mmap } = await library();
    const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: parameters.file });
    let round = 0;
    return {
      before: () => dirtyPages(mapping.view(Uint8Array), ++round & 255),
      run: () => watched(() => sync(mapping)),
    };
  },
});

const coldFile = (populate) => ({
  cold: true,
  async setup({ parameters }) {
    const { mmap } = await library();
    let mapping;
    return {
      before() {
        mapping = mmap({ backing: 'file', sharing: 'private', file: parameters.cold });
      },
      run: () => watched(() => populate(mapping)),
      after: () => mapping.unmapSync(),
    };
  },
});

const populated = (unmap) => ({
  async setup({ parameters }) {
    const { mmap } = await library();
    let mapping;
    return {
      before() {
        mapping = mmap({ backing: 'anonymous', sharing: 'private', length: parameters.length, populate: true });
      },
      run: () => watched(() => unmap(mapping)),
    };
  },
});

export default {
  name: 'loop-delay',
  order: 10,
  title: 'What the event loop notices of work on 1 GiB',
  about:
    'perf_hooks.monitorEventLoopDelay with a resolution of 1 ms, which is part of every number: an idle loop shows a little more than 1. ' +
    'The blocking forms are there to show what is being avoided.',
  unit: 'call',
  operations: 1,
  rounds: 5,
  shown: ['p99Ms', 'maxMs'],
  cold: ({ parameters }) => parameters.cold,
  prepare({ directory, short }) {
    const length = short ? 64 * MiB : GiB;
    return { length, file: makeFile(directory, length, 'dirty'), cold: makeFile(directory, length, 'cold') };
  },
  contestants: {
    'idle for 200 ms': { setup: async () => () => watched(() => sleep(200)) },
    'await sync()': dirtyFile((mapping) => mapping.sync()),
    'syncSync()': dirtyFile((mapping) => mapping.syncSync()),
    'await populate(), cold': coldFile((mapping) => mapping.populate()),
    'populateSync(), cold': coldFile((mapping) => mapping.populateSync()),
    'await unmap()': populated((mapping) => mapping.unmap()),
    'unmapSync()': populated((mapping) => mapping.unmapSync()),
  },
  aims: [
    { contestant: 'await sync()', metric: 'p99Ms', atMost: 5 },
    { contestant: 'await populate(), cold', metric: 'p99Ms', atMost: 5 },
    { contestant: 'await unmap()', metric: 'p99Ms', atMost: 5 },
  ],
};
