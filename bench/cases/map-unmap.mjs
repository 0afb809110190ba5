import { library, libraryWithShared } from '../harness/library.mjs';
import { ffiMmap, koffiMmap } from '../harness/opponents.mjs';

const LENGTH = 4096;
const OPTIONS = { backing: 'anonymous', sharing: 'private', length: LENGTH };

const ours = (use) => ({
  async setup() {
    const { mmap } = await (use === 'sharedBuffer' ? libraryWithShared() : library());
    return {
      none: (operations) => {
        for (let i = 0; i < operations; i++) mmap(OPTIONS).unmapSync();
      },
      promise: async (operations) => {
        for (let i = 0; i < operations; i++) await mmap(OPTIONS).unmap();
      },
      buffer: (operations) => {
        for (let i = 0; i < operations; i++) {
          const mapping = mmap(OPTIONS);
          if (mapping.buffer.byteLength !== LENGTH) throw new Error('not the whole');
          mapping.unmapSync();
        }
      },
      sharedBuffer: (operations) => {
        for (let i = 0; i < operations; i++) {
          const mapping = mmap(OPTIONS);
          if (mapping.sharedBuffer.byteLength !== LENGTH) throw new Error('not the whole');
          mapping.unmapSync();
        }
      },
    }[use];
  },
});

const foreign = (make, withBuffer) => async () => {
  const { anonymous, unmap, buffer } = make();
  return (operations) => {
    for (let i = 0; i < operations; i++) {
      const address = anonymous(LENGTH);
      if (withBuffer && buffer(address, LENGTH).byteLength !== LENGTH) throw new Error('not the whole');
      unmap(address, LENGTH);
    }
  };
};

export default {
  name: 'map-unmap',
  order: 1,
  inShort: true,
  title: 'Map and unmap 4 KiB of anonymous memory',
  about:
    'The bare cost of a mapping: nothing is touched. Finalizers that wait for the event loop are part of the time. ' +
    'The FFI opponents hand out a raw address: their second unmap would take somebody else’s memory away.',
  unit: 'map + unmap',
  settle: true,
  baseline: 'C: mmap, munmap',
  contestants: {
    'C: mmap, munmap': { c: () => ['map-unmap', LENGTH] },
    'C: mmap, decommit, munmap': { c: () => ['map-decommit-unmap', LENGTH] },
    'unmapSync(), no view': ours('none'),
    'await unmap(), no view': ours('promise'),
    'with sharedBuffer': ours('sharedBuffer'),
    'with buffer': ours('buffer'),
    'koffi, no view': { setup: foreign(koffiMmap, false) },
    'koffi, with buffer': { setup: foreign(koffiMmap, true) },
    'node:ffi, no view': { runtime: 'node26', flags: ['--experimental-ffi'], setup: foreign(ffiMmap, false) },
    'node:ffi, with buffer': { runtime: 'node26', flags: ['--experimental-ffi'], setup: foreign(ffiMmap, true) },
  },
  aims: [
    { contestant: 'unmapSync(), no view', against: 'C: mmap, munmap', atMost: 1.15 },
    { contestant: 'with buffer', against: 'C: mmap, munmap', atMost: 1.5 },
    { contestant: 'with sharedBuffer', against: 'C: mmap, munmap', atMost: 1.25 },
  ],
};
