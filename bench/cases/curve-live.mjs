import { openSync } from 'node:fs';
import { makeFile } from '../harness/files.mjs';
import { library, Unavailable } from '../harness/library.mjs';

const LENGTH = 4096;

const beside = (options) => ({
  async setup({ parameters, point }) {
    const { mmap } = await library();
    const once = { length: LENGTH, sharing: 'private', ...options(parameters) };
    const live = [];
    try {
      while (live.length < point) live.push(mmap(once));
    } catch (error) {
      if (error.code !== 'ENOMEM') throw error;
      throw new Unavailable(`ENOMEM at ${live.length} live mappings, by the cap below vm.max_map_count`);
    }
    return (operations) => {
      for (let i = 0; i < operations; i++) mmap(once).unmapSync();
      return live.length;
    };
  },
});

export default {
  name: 'curve-live',
  order: 21,
  title: 'Map and unmap 4 KiB, by the number of live mappings',
  about:
    'Mappings of the same page of a file are an area each. Anonymous ones beside each other are merged by the kernel, and there may be more of them ' +
    'than vm.max_map_count has areas.',
  unit: 'map + unmap',
  rounds: 15,
  settle: true,
  baseline: 'C: of a file',
  shown: ['ownBytes'],
  points: {
    name: 'live mappings',
    unit: 'count',
    values: [1, 10, 100, 1000, 10_000, 30_000, 58_000, 60_000],
    short: [100],
  },
  prepare: ({ directory }) => ({ file: makeFile(directory, LENGTH) }),
  contestants: {
    'C: of a file': { c: ({ parameters, point }) => ['map-beside', parameters.file, point] },
    'of a file': beside(({ file }) => ({ backing: 'file', file: openSync(file) })),
    anonymous: beside(() => ({ backing: 'anonymous' })),
  },
};
