import { openSync, readFileSync, readSync } from 'node:fs';
import { KiB, makeFile, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';
import { sumNumbers, numbersOf } from '../harness/work.mjs';

const whole = (read) => ({
  setup: async ({ parameters, point }) => {
    const once = await read(parameters.files[point], point);
    return (operations) => {
      for (let i = 0; i < operations; i++) once();
    };
  },
});

export default {
  name: 'small-file',
  order: 7,
  title: 'All of a warm file, by size: where mapping begins to pay',
  about:
    'Every word of the file is added up, and the file is open already, but for readFileSync. A small file is cheaper to read than to map: ' +
    'the page faults and munmap cost more than the copy.',
  unit: 'file',
  settle: true,
  baseline: 'readSync, buffer used again',
  points: {
    name: 'file size',
    unit: 'bytes',
    values: [4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB, 16 * MiB, 64 * MiB],
    short: [4 * KiB, MiB],
  },
  rounds: 15,
  prepare({ directory, points }) {
    return { files: Object.fromEntries(points.map((size) => [size, makeFile(directory, size, `${size}`)])) };
  },
  contestants: {
    'C: pread, buffer used again': { c: ({ parameters, point }) => ['sum-pread', parameters.files[point], point] },
    'C: mmap, munmap': { c: ({ parameters, point }) => ['map-sum-unmap', parameters.files[point]] },
    'readSync, buffer used again': whole((path, size) => {
      const fd = openSync(path);
      const numbers = new Float64Array(size / 8);
      return () => {
        readSync(fd, numbers, 0, size, 0);
        return sumNumbers(numbers);
      };
    }),
    'readFileSync by path': whole((path) => () => sumNumbers(numbersOf(readFileSync(path)))),
    'mmap, view(), unmap': whole(async (path) => {
      const { mmap } = await library();
      const fd = openSync(path);
      return () => {
        const mapping = mmap({ backing: 'file', sharing: 'private', file: fd });
        const sum = sumNumbers(mapping.view(Float64Array));
        mapping.unmapSync();
        return sum;
      };
    }),
    'mmap with populate': whole(async (path) => {
      const { mmap } = await library();
      const fd = openSync(path);
      return () => {
        const mapping = mmap({ backing: 'file', sharing: 'private', file: fd, populate: true });
        const sum = sumNumbers(mapping.view(Float64Array));
        mapping.unmapSync();
        return sum;
      };
    }),
  },
};
