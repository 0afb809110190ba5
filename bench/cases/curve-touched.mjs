import { openSync, readFileSync, readSync } from 'node:fs';
import { makeDraw } from '../harness/draw.mjs';
import { makeFile, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';

const LENGTH = 256 * MiB;
const PAGE = 4096;

/** The page numbers to look at: a share of all, in a random order. */
const choose = (share) => {
  const pages = Uint32Array.from({ length: LENGTH / PAGE }, (_, i) => i);
  const draw = makeDraw();
  for (let i = pages.length - 1; i > 0; i--) {
    const j = draw() % (i + 1);
    [pages[i], pages[j]] = [pages[j], pages[i]];
  }
  return pages.subarray(0, Math.max(1, Math.round(pages.length * share)));
};

const looking = (make) => ({
  async setup({ parameters, point }) {
    const pages = choose(point);
    const look = await make(parameters.file, pages);
    return (operations) => {
      for (let i = 0; i < operations; i++) look();
    };
  },
});

const touch = (bytes, pages) => {
  let sum = 0;
  for (const page of pages) sum += bytes[page * PAGE];
  return sum;
};

export default {
  name: 'curve-touched',
  order: 23,
  title: 'A warm file of 256 MiB, by the share of its pages that is looked at',
  about:
    'Mapped, looked at here and there, unmapped; or each page read; or the whole file read. One byte of a page is used.',
  unit: 'file',
  rounds: 7,
  settle: true,
  baseline: 'readSync of each page',
  shown: ['minorFaults', 'ownBytes'],
  points: { name: 'pages looked at', unit: 'share', values: [0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1], short: [0.01] },
  prepare: ({ directory }) => ({ file: makeFile(directory, LENGTH) }),
  contestants: {
    'readSync of each page': looking((file, pages) => {
      const fd = openSync(file);
      const bytes = new Uint8Array(PAGE);
      return () => {
        let sum = 0;
        for (const page of pages) {
          readSync(fd, bytes, 0, PAGE, page * PAGE);
          sum += bytes[0];
        }
        return sum;
      };
    }),
    readFileSync: looking((file, pages) => () => touch(readFileSync(file), pages)),
    'mmap, view(), unmap': looking(async (file, pages) => {
      const { mmap } = await library();
      return () => {
        const mapping = mmap({ backing: 'file', sharing: 'private', file });
        touch(mapping.view(Uint8Array), pages);
        mapping.unmapSync();
      };
    }),
    'a mapping that is kept': looking(async (file, pages) => {
      const { mmap } = await library();
      const bytes = mmap({ backing: 'file', sharing: 'private', file }).view(Uint8Array);
      return () => touch(bytes, pages);
    }),
  },
};
