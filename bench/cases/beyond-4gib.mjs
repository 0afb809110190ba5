import { closeSync, ftruncateSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { GiB, MiB } from '../harness/files.mjs';
import { library, Unavailable } from '../harness/library.mjs';
import { sumNumbers } from '../harness/work.mjs';

const LENGTH = 8 * GiB;
const WINDOW = 64 * MiB;
const FAR = 6 * GiB;

const summing = (view) => ({
  async setup({ parameters }) {
    const { mmap } = await library();
    const numbers = view(mmap({ backing: 'file', sharing: 'private', file: parameters.file }));
    return (operations) => {
      let sum = 0;
      for (let i = 0; i < operations; i++) sum += sumNumbers(numbers);
      return sum;
    };
  },
});

const sumFrom = (bytes, from) => {
  let sum = 0;
  for (let i = from; i < from + WINDOW; i++) sum = (sum + bytes[i]) | 0;
  return sum;
};

export default {
  name: 'beyond-4gib',
  order: 12,
  title: 'The same loop at the beginning of a file and beyond 4 GiB',
  about:
    'A view counts its indices from its own start: the loop cannot know where it is. Indices beyond 2³¹ in one large buffer are what V8 is slow at.',
  unit: 'pass over 64 MiB',
  rounds: 15,
  targetMs: 40,
  baseline: 'view at 0',
  prepare({ directory }) {
    const file = join(directory, 'sparse');
    const fd = openSync(file, 'w');
    ftruncateSync(fd, LENGTH);
    closeSync(fd);
    return { file };
  },
  contestants: {
    'view at 0': summing((mapping) => mapping.view(Float64Array, 0, WINDOW)),
    'view at 6 GiB': summing((mapping) => mapping.view(Float64Array, FAR, WINDOW)),
    'bytes of one buffer, index from 0': {
      async setup({ parameters }) {
        const { mmap } = await library();
        const bytes = mmap({ backing: 'file', sharing: 'private', file: parameters.file }).view(Uint8Array, 0, WINDOW);
        return () => sumFrom(bytes, 0);
      },
    },
    'bytes of one buffer, index from 6 Gi': {
      async setup({ parameters }) {
        const { mmap } = await library();
        let bytes;
        try {
          bytes = mmap({ backing: 'file', sharing: 'private', file: parameters.file }).view(Uint8Array);
        } catch (error) {
          throw error.code === 'ERR_BUFFER_TOO_LARGE' ? new Unavailable('no buffer of 8 GiB here') : error;
        }
        return () => sumFrom(bytes, FAR);
      },
    },
  },
  operations: 1,
  aims: [{ contestant: 'view at 6 GiB', against: 'view at 0', atMost: 1.1 }],
};
