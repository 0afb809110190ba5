import { fstatSync, openSync } from 'node:fs';
import { GiB, makeFile, MiB } from '../harness/files.mjs';
import { fillHeap } from '../harness/heap.mjs';
import { library, libraryWithShared } from '../harness/library.mjs';
import { koffiMmap, mmapIo } from '../harness/opponents.mjs';
import { touchPages } from '../harness/work.mjs';

const WINDOW = MiB;

/** Those that make V8 collect take a tenth of a second each: fewer of them do. */
const FEW = 5;

/** `look(fd, length)` maps, touches each page of the window in the middle, unmaps. */
const looking = (make, operations) => ({
  operations,
  async setup({ parameters }) {
    const heap = fillHeap();
    const fd = openSync(parameters.file);
    const { size } = fstatSync(fd);
    const look = await make();
    return (count) => {
      for (let i = 0; i < count; i++) look(fd, size);
      return heap.length;
    };
  },
});

const ours = (look, { operations, load = library } = {}) =>
  looking(async () => {
    const { mmap } = await load();
    return (fd, size) => {
      const mapping = mmap({ backing: 'file', sharing: 'private', file: fd });
      look(mapping, size);
      mapping.unmapSync();
    };
  }, operations);

export default {
  name: 'map-look-unmap',
  order: 2,
  title: 'Map a 1 GiB file, look at 1 MiB, unmap, with a heap of 350 MB',
  about:
    'One byte of each of 256 pages is read. A buffer over the whole file makes V8 collect garbage, because it counts as a gigabyte of memory; ' +
    'a window counts as a megabyte, a SharedArrayBuffer as nothing.',
  unit: 'map + look + unmap',
  operations: 100,
  rounds: 11,
  settle: true,
  baseline: 'C',
  shown: ['collections', 'minorFaults'],
  prepare: ({ directory }) => ({ file: makeFile(directory, GiB) }),
  contestants: {
    C: { c: ({ parameters }) => ['map-look-unmap', parameters.file, WINDOW] },
    'view(), 1 MiB': ours((mapping, size) => touchPages(mapping.view(Uint8Array, size / 2, WINDOW))),
    'sharedView(), 1 MiB': ours((mapping, size) => touchPages(mapping.sharedView(Uint8Array, size / 2, WINDOW)), {
      load: libraryWithShared,
    }),
    'bytes, all of it': ours((mapping, size) => touchPages(mapping.bytes, size / 2, size / 2 + WINDOW), {
      operations: FEW,
    }),
    koffi: looking(async () => {
      const { file, buffer, unmap } = koffiMmap();
      return (fd, size) => {
        const address = file(fd, size);
        touchPages(new Uint8Array(buffer(address, size), size / 2, WINDOW));
        unmap(address, size);
      };
    }, FEW),
    '@riaskov/mmap-io, no unmap': {
      runtime: 'node20',
      ...looking(async () => {
        const { map, PROT_READ, MAP_PRIVATE } = mmapIo();
        return (fd, size) => touchPages(map(size, PROT_READ, MAP_PRIVATE, fd), size / 2, size / 2 + WINDOW);
      }, FEW),
    },
  },
  aims: [
    { contestant: 'view(), 1 MiB', against: 'C', atMost: 2 },
    { contestant: 'view(), 1 MiB', metric: 'collections', atMost: 0 },
    { contestant: 'sharedView(), 1 MiB', metric: 'collections', atMost: 0 },
  ],
};
