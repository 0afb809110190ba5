import { GiB, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';
import { dirtyPages } from '../harness/work.mjs';

const LENGTH = GiB;
const SHORT = 64 * MiB;

/** An operation makes the memory and writes to each page; giving it back is not part of the time. */
const filling = (make, giveBack = () => globalThis.gc()) => ({
  flags: ['--expose-gc'],
  async setup({ short }) {
    const all = await library();
    let made;
    return {
      run() {
        made = make(all, short ? SHORT : LENGTH);
        dirtyPages(made.bytes, 1);
      },
      after() {
        giveBack(made);
        made = undefined;
      },
    };
  },
});

const anonymous = (options) =>
  filling(
    ({ mmap }, length) => mmap({ backing: 'anonymous', sharing: 'private', length, ...options }),
    (mapping) => mapping.unmapSync(),
  );

const c = (kind) => ({ c: ({ short }) => ['zero-filled', short ? SHORT : LENGTH, kind] });

export default {
  name: 'zero-filled',
  order: 8,
  inShort: true,
  title: 'Zero-filled 1 GiB, every page written to',
  about:
    'Buffer.alloc is as lazy as mmap for memory of this size: the time is the kernel’s, which zeroes each page at its first touch. ' +
    'Huge pages are what makes a difference.',
  unit: 'GiB',
  operations: 1,
  rounds: 9,
  baseline: 'Buffer.alloc',
  shown: ['minorFaults'],
  contestants: {
    'C: mmap': c('plain'),
    'C: mmap, MADV_HUGEPAGE': c('huge'),
    'Buffer.alloc': filling((_, length) => ({ bytes: Buffer.alloc(length) })),
    'new Uint8Array': filling((_, length) => ({ bytes: new Uint8Array(length) })),
    mmap: anonymous({}),
    'mmap, hugePages': anonymous({ hugePages: true }),
    'mmap, populate': anonymous({ populate: true }),
    'mmap, shared': anonymous({ sharing: 'shared' }),
    'allocZeroed, hugePages': filling(({ allocZeroed }, length) => ({
      bytes: allocZeroed(length, { hugePages: true }),
    })),
  },
  aims: [
    { contestant: 'mmap, hugePages', against: 'Buffer.alloc', atMost: 0.2 },
    { contestant: 'mmap', against: 'Buffer.alloc', atMost: 1.05 },
  ],
};
