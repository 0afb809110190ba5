import { nextDraw } from '../harness/draw.mjs';
import { GiB, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';
import { dirtyPages } from '../harness/work.mjs';

const reading = (hugePages) => ({
  async setup({ point }) {
    const { mmap } = await library();
    const mapping = mmap({ backing: 'anonymous', sharing: 'private', length: point, hugePages });
    dirtyPages(mapping.view(Uint8Array), 0);
    const numbers = mapping.view(Float64Array);
    const mask = numbers.length - 1;
    let seed = 1;
    return (operations) => {
      let state = seed;
      let sum = 0;
      for (let i = 0; i < operations; i++) {
        state = nextDraw(state);
        sum += numbers[state & mask];
      }
      seed = state;
      return sum;
    };
  },
});

export default {
  name: 'huge-pages',
  order: 16,
  title: 'Random 8-byte reads of anonymous memory, with and without huge pages',
  about:
    'All pages are there. What is left of the difference is the TLB: with pages of 4 KiB it covers a few megabytes.',
  unit: 'read',
  rounds: 15,
  points: {
    name: 'memory',
    unit: 'bytes',
    values: [MiB, 4 * MiB, 16 * MiB, 64 * MiB, 256 * MiB, GiB],
    short: [16 * MiB],
  },
  baseline: 'pages of 4 KiB',
  contestants: { 'pages of 4 KiB': reading(false), 'hugePages: true': reading(true) },
};
