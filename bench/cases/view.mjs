import { library, libraryWithShared } from '../harness/library.mjs';

const LENGTH = 64 * 2 ** 20;
const WINDOW = 4096;
const MASK = LENGTH / WINDOW - 1;

const map = async (load = library) => {
  const { mmap } = await load();
  return mmap({ backing: 'anonymous', sharing: 'private', length: LENGTH });
};

/** `look` makes the i-th view; its first element is read, so that it has to be there. */
const looking = (make, load) => ({
  async setup() {
    const look = make(await map(load));
    return (operations) => {
      let sum = 0;
      for (let i = 0; i < operations; i++) sum += look(i)[0];
      if (sum !== 0) throw new Error('not zeros');
    };
  },
});

export default {
  name: 'view',
  order: 3,
  inShort: true,
  title: 'A view of 4 KiB of an existing mapping',
  about: 'Made and read once. No contestant but the last makes a system call or asks native code.',
  unit: 'view',
  settle: true,
  baseline: 'new Uint8Array(buffer, …)',
  contestants: {
    'new Uint8Array(buffer, …)': looking(
      ({ buffer }) =>
        () =>
          new Uint8Array(buffer, 8192, WINDOW),
    ),
    'bytes.subarray(…)': looking(
      ({ bytes }) =>
        () =>
          bytes.subarray(8192, 8192 + WINDOW),
    ),
    'view(), the same window again': looking((mapping) => () => mapping.view(Uint8Array, 8192, WINDOW)),
    'view(), other windows of one buffer': looking((mapping) => {
      if (mapping.buffer.byteLength !== LENGTH) throw new Error('not the whole');
      return (i) => mapping.view(Uint8Array, (i & MASK) * WINDOW, WINDOW);
    }),
    'sharedView(), other windows': looking(
      (mapping) => (i) => mapping.sharedView(Uint8Array, (i & MASK) * WINDOW, WINDOW),
      libraryWithShared,
    ),
    'view(), a new window each time': looking(
      (mapping) => (i) => mapping.view(Uint8Array, (i & MASK) * WINDOW, WINDOW),
    ),
  },
  aims: [{ contestant: 'view(), the same window again', against: 'new Uint8Array(buffer, …)', atMost: 3 }],
};
