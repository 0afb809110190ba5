// Why aims were missed: said only where they were, with the numbers of the same results.
import { formatRatio, isMet } from '../harness/format.mjs';

const counted = (instructions, name) => {
  const of = (wanted) => instructions?.find((row) => row.name === wanted)?.instructions.toLocaleString('en');
  const found = of(name);
  return found === undefined ? '' : ` (${found} instructions outside of the kernel, C has ${of('C: mmap, munmap')})`;
};

/** By case and contestant. `ratio(name)` is the median ratio of a contestant of the case. */
const REASONS = {
  'map-unmap': {
    'unmapSync(), no view': (_ratio, instructions) =>
      `What is left is JavaScript's own${counted(instructions, 'unmapSync(), no view')}: options are checked, a Mapping and its parts are made, and so is a handle ` +
      'that the collector knows of, in two native calls. The system calls are the same as C’s.',
    'with buffer': (ratio, instructions) =>
      'An address that JavaScript has seen stays taken until the collector has let go of every buffer over it, or a late reader would see somebody else’s ' +
      'memory. So `unmap()` puts empty pages there, and a third system call takes them away later: C that does so needs ' +
      `${formatRatio(ratio('C: mmap, decommit, munmap'))} of the baseline. The rest is what an external ArrayBuffer and its finalizer cost the runtime${counted(instructions, 'with buffer')}.`,
    'with sharedBuffer': (_ratio, instructions) =>
      `As with an ArrayBuffer${counted(instructions, 'with sharedBuffer')}.`,
  },
  'map-look-unmap': {
    'view(), 1 MiB': () =>
      'As above; and the longest rounds are those in which the runtime collects what the others left. No collection is provoked by the windows.',
  },
  'first-byte': {
    'mmap, view(1), unmap': (ratio) =>
      `C over a map does not reach it (${formatRatio(ratio('C: open, mmap, munmap'))}): the page fault maps sixteen pages, which munmap takes apart again. To look at one byte, read it.`,
  },
  'zero-filled': {
    'mmap, hugePages': (ratio) =>
      `Nor does C in the same run (${formatRatio(ratio('C: mmap, MADV_HUGEPAGE'))}). Where the kernel has huge pages at hand, both do: see the 5th percentile. In the other rounds it first had to move memory together.`,
  },
};

export const whyMissed = (cases, instructions) =>
  Object.entries(cases)
    .flatMap(([name, { title, points }]) =>
      points.flatMap(({ aims, contestants }) =>
        aims
          .filter((aim) => !isMet(aim) && REASONS[name]?.[aim.contestant] !== undefined)
          .map(({ contestant }) => {
            const reason = REASONS[name][contestant]((other) => contestants[other].ratio.median, instructions);
            return `- **${title}, ${contestant}.** ${reason}`;
          }),
      ),
    )
    .join('\n');
