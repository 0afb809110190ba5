import { GiB, KiB, MiB } from '../harness/files.mjs';
import { fillHeap } from '../harness/heap.mjs';
import { library, libraryWithShared } from '../harness/library.mjs';

const viewing = (load, view) => ({
  async setup({ point }) {
    const { mmap } = await load();
    const heap = fillHeap();
    const options = { backing: 'anonymous', sharing: 'private', length: 2 * point, noReserve: true };
    const mapping = mmap(options);
    return (operations) => {
      // two windows in turn, so that none is the last one again
      for (let i = 0; i < operations; i++) view(mapping, (i & 1) * point, point);
      return heap.length;
    };
  },
});

export default {
  name: 'collector',
  order: 15,
  title: 'What the garbage collector charges for a window, with a heap of 350 MB',
  about:
    'A new window each time, dropped at once. V8 counts an ArrayBuffer as the memory that it covers, and collects; a SharedArrayBuffer ' +
    'counts as nothing, and there is one for all windows.',
  unit: 'window',
  operations: 50,
  rounds: 7,
  settle: true,
  points: {
    name: 'size of the window',
    unit: 'bytes',
    values: [64 * KiB, MiB, 16 * MiB, 64 * MiB, 256 * MiB, GiB],
    short: [MiB],
  },
  shown: ['collections'],
  contestants: {
    'view()': viewing(library, (mapping, offset, length) => mapping.view(Uint8Array, offset, length)),
    'sharedView()': viewing(libraryWithShared, (mapping, offset, length) =>
      mapping.sharedView(Uint8Array, offset, length),
    ),
    'Buffer.allocUnsafeSlow': viewing(library, (_mapping, _offset, length) => Buffer.allocUnsafeSlow(length)),
  },
};
