import { library, libraryWithShared } from '../harness/library.mjs';

const WINDOW = 4096;

const viewing = (load, view) => ({
  async setup({ point }) {
    const { mmap } = await load();
    return (operations) => {
      for (let i = 0; i < operations; i++) {
        const mapping = mmap({ backing: 'anonymous', sharing: 'private', length: point * WINDOW });
        const views = [];
        for (let at = 0; at < point; at++) views.push(view(mapping, at * WINDOW));
        mapping.unmapSync();
      }
    };
  },
});

export default {
  name: 'curve-views',
  order: 22,
  title: 'Views of one mapping, made and taken away with it, by their number',
  about:
    'Windows that have nothing in common, all alive: each has an ArrayBuffer of its own, which unmap() detaches. Time for one of them. ' +
    'At the left the mapping itself is what costs; at the right the collector, which has 100,000 objects to trace and 400 MiB to account for.',
  unit: 'view',
  rounds: 11,
  settle: true,
  points: { name: 'views', unit: 'count', values: [1, 10, 100, 1000, 10_000, 100_000], short: [100] },
  divideBy: ({ point }) => point,
  contestants: {
    'view(), a buffer each': viewing(library, (mapping, offset) => mapping.view(Uint8Array, offset, WINDOW)),
    'view(), one buffer': viewing(library, (mapping, offset) => {
      if (mapping.buffer.byteLength === 0) throw new Error('not mapped');
      return mapping.view(Uint8Array, offset, WINDOW);
    }),
    'sharedView()': viewing(libraryWithShared, (mapping, offset) => mapping.sharedView(Uint8Array, offset, WINDOW)),
  },
};
