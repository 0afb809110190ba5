import { openSync, readFileSync, readSync } from 'node:fs';
import { joinMemoryGroup, removeMemoryGroups } from '../harness/cgroup.mjs';
import { GiB, makeFile, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';
import { sumNumbers, numbersOf } from '../harness/work.mjs';

const LIMIT = 256 * MiB;
const CHUNK = MiB;

const scanning = (make) => ({
  cold: true,
  mayBeKilled: true,
  async setup({ parameters }) {
    const peak = joinMemoryGroup(parameters.groups, LIMIT);
    const scan = await make(parameters.file);
    return () => {
      scan();
      return { peakBytes: peak() };
    };
  },
});

export default {
  name: 'memory-limit',
  order: 13,
  title: 'A 1 GiB file, scanned with 256 MiB of memory',
  about:
    'The processes are in a cgroup whose limit the page cache counts against. Mapped pages are given back by the kernel when they are needed ' +
    'elsewhere; a file that was read into memory cannot be, and ends the process.',
  unit: 'scan',
  operations: 1,
  rounds: 3,
  warmUps: 0,
  shown: ['ownBytes', 'fileBytes', 'peakBytes', 'diskBytes'],
  cold: ({ parameters }) => parameters.file,
  prepare: ({ directory }) => ({ file: makeFile(directory, GiB), groups: `mmap-native-bench-${process.pid}` }),
  cleanUp: ({ groups }) => removeMemoryGroups(groups),
  contestants: {
    'view(), all of it': scanning(async (file) => {
      const { mmap } = await library();
      return () => {
        const mapping = mmap({ backing: 'file', sharing: 'private', file });
        sumNumbers(mapping.view(Float64Array));
        mapping.unmapSync();
      };
    }),
    'readSync of 1 MiB': scanning(async (file) => {
      const fd = openSync(file);
      const numbers = new Float64Array(CHUNK / 8);
      return () => {
        for (let at = 0; at < GiB; at += CHUNK) {
          readSync(fd, numbers, 0, CHUNK, at);
          sumNumbers(numbers);
        }
      };
    }),
    readFileSync: scanning(async (file) => () => sumNumbers(numbersOf(readFileSync(file)))),
  },
};
