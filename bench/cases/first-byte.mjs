import { closeSync, openSync, readSync } from 'node:fs';
import { GiB, makeFile, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';

export default {
  name: 'first-byte',
  order: 6,
  inShort: true,
  title: 'The first byte of a warm 1 GiB file, by its path',
  about: 'From a path to a byte and back to nothing open: what a file costs that is only looked at.',
  unit: 'file',
  settle: true,
  baseline: 'fs.openSync, readSync(1), closeSync',
  prepare: ({ directory, short }) => ({ file: makeFile(directory, short ? 64 * MiB : GiB) }),
  contestants: {
    'C: open, mmap, munmap': { c: ({ parameters }) => ['first-byte-mapped', parameters.file] },
    'C: open, pread, close': { c: ({ parameters }) => ['first-byte-read', parameters.file] },
    'fs.openSync, readSync(1), closeSync': {
      async setup({ parameters }) {
        const byte = new Uint8Array(1);
        return (operations) => {
          for (let i = 0; i < operations; i++) {
            const fd = openSync(parameters.file);
            readSync(fd, byte, 0, 1, 0);
            closeSync(fd);
          }
        };
      },
    },
    'mmap, view(1), unmap': {
      async setup({ parameters }) {
        const { mmap } = await library();
        return (operations) => {
          let sum = 0;
          for (let i = 0; i < operations; i++) {
            const mapping = mmap({ backing: 'file', sharing: 'private', file: parameters.file });
            sum += mapping.view(Uint8Array, 0, 1)[0];
            mapping.unmapSync();
          }
          return sum;
        };
      },
    },
    'mmap, read(1), unmap': {
      async setup({ parameters }) {
        const { mmap } = await library();
        const byte = new Uint8Array(1);
        return (operations) => {
          for (let i = 0; i < operations; i++) {
            const mapping = mmap({ backing: 'file', sharing: 'private', file: parameters.file });
            mapping.read(byte, { length: 1 });
            mapping.unmapSync();
          }
        };
      },
    },
  },
  aims: [{ contestant: 'mmap, view(1), unmap', against: 'fs.openSync, readSync(1), closeSync', atMost: 1 }],
};
