import { closeSync, ftruncateSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { GiB, KiB, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';

/** Where a view was made, the address space stays taken until its buffer is collected: a turn must find room for all its mappings. */
const ADDRESSABLE = 16 * GiB;

export default {
  name: 'curve-file-size',
  order: 20,
  title: 'Map, look at one byte, unmap, by the size of the file',
  about: 'Sparse files. The kernel notes an area and nothing else: the size does not matter.',
  unit: 'map + look + unmap',
  rounds: 15,
  settle: true,
  baseline: 'C: mmap, look, munmap',
  points: {
    name: 'file size',
    unit: 'bytes',
    values: [4 * KiB, MiB, 64 * MiB, GiB, 16 * GiB, 256 * GiB, 1024 * GiB],
    short: [MiB],
  },
  prepare({ directory, points }) {
    const files = {};
    for (const size of points) {
      files[size] = join(directory, `${size}`);
      const fd = openSync(files[size], 'w');
      ftruncateSync(fd, size);
      closeSync(fd);
    }
    return { files };
  },
  contestants: {
    'C: mmap, look, munmap': { c: ({ parameters, point }) => ['map-look-unmap', parameters.files[point], 1] },
    'mmap, read(1), unmap': {
      async setup({ parameters, point }) {
        const { mmap } = await library();
        const fd = openSync(parameters.files[point]);
        const byte = new Uint8Array(1);
        return (operations) => {
          for (let i = 0; i < operations; i++) {
            const mapping = mmap({ backing: 'file', sharing: 'private', file: fd });
            mapping.read(byte, { offset: point / 2 });
            mapping.unmapSync();
          }
        };
      },
    },
    'mmap, view(1), unmap': {
      at: (point) => point <= ADDRESSABLE,
      async setup({ parameters, point }) {
        const { mmap } = await library();
        const fd = openSync(parameters.files[point]);
        return (operations) => {
          for (let i = 0; i < operations; i++) {
            const mapping = mmap({ backing: 'file', sharing: 'private', file: fd });
            if (mapping.view(Uint8Array, point / 2, 1)[0] !== 0) throw new Error('not a hole');
            mapping.unmapSync();
          }
        };
      },
    },
    'readSync(1)': {
      async setup({ parameters, point }) {
        const fd = openSync(parameters.files[point]);
        const byte = new Uint8Array(1);
        return (operations) => {
          for (let i = 0; i < operations; i++) readSync(fd, byte, 0, 1, point / 2);
        };
      },
    },
  },
};
