import { fdatasyncSync, openSync, writeSync } from 'node:fs';
import { GiB, makeFile, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';

const PAGE = 4096;

const syncing = (sync) => ({
  async setup({ parameters }) {
    const { mmap } = await library();
    const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: parameters.file });
    const offset = mapping.length / 2;
    const page = mapping.view(Uint8Array, offset, PAGE);
    return sync(mapping, page, { offset, length: PAGE });
  },
});

export default {
  name: 'sync-page',
  order: 11,
  title: 'One changed page of a 1 GiB mapping, written to the disk',
  about: 'The time is the disk’s. sync() adds a hop to the thread pool and back; the event loop is free meanwhile.',
  unit: 'sync',
  rounds: 15,
  targetMs: 40,
  baseline: 'C: msync',
  prepare: ({ directory, short }) => ({ file: makeFile(directory, short ? 64 * MiB : GiB) }),
  contestants: {
    'C: msync': { c: ({ parameters }) => ['sync-page', parameters.file] },
    'syncSync()': syncing((mapping, page, range) => (operations) => {
      for (let i = 0; i < operations; i++) {
        page[0]++;
        mapping.syncSync(range);
      }
    }),
    'await sync()': syncing((mapping, page, range) => async (operations) => {
      for (let i = 0; i < operations; i++) {
        page[0]++;
        await mapping.sync(range);
      }
    }),
    'writeSync, fdatasyncSync': {
      async setup({ parameters }) {
        const fd = openSync(parameters.file, 'r+');
        const page = new Uint8Array(PAGE);
        return (operations) => {
          for (let i = 0; i < operations; i++) {
            page[0]++;
            writeSync(fd, page, 0, PAGE, PAGE * 16);
            fdatasyncSync(fd);
          }
        };
      },
    },
  },
  aims: [{ contestant: 'syncSync()', against: 'C: msync', atMost: 1.2 }],
};
