// The rules of thumb, each with the numbers that it rests on. Where a number is missing, the rule is left out.
import { formatBytes, formatRatio, formatTime, withSpread } from '../harness/format.mjs';

/** Looks into the results: a summary, a time with its spread, a ratio of medians; throws Missing where there is none. */
class Missing extends Error {}

const reader = (cases) => {
  const summary = (name, contestant, point) => {
    const found = cases[name]?.points.find((one) => one.point === point)?.contestants[contestant];
    if (found === undefined) throw new Missing(`${name}, ${contestant}, ${point}`);
    return found;
  };
  return {
    summary,
    time: (...where) => withSpread(summary(...where).ns, formatTime),
    ratio: (name, a, b, point) => formatRatio(summary(name, a, point).ns.median / summary(name, b, point).ns.median),
    points: (name) => {
      if (cases[name] === undefined) throw new Missing(name);
      return cases[name].points;
    },
  };
};

/** Where the first of two falls below the second, between two points on a logarithmic scale; undefined where it never does. */
export const crossing = (points, first, second) => {
  const logs = points
    .filter(({ contestants }) => contestants[first] && contestants[second])
    .map(({ point, contestants }) => ({
      point,
      log: Math.log(contestants[first].ns.median / contestants[second].ns.median),
    }));
  const after = logs.findIndex(({ log }) => log <= 0);
  if (after <= 0) return after === 0 ? logs[0].point : undefined;
  const [a, b] = [logs[after - 1], logs[after]];
  return a.point * (b.point / a.point) ** (a.log / (a.log - b.log));
};

const breakEven = (points, first, second) => {
  const at = crossing(points, first, second);
  return at === undefined
    ? `beyond ${formatBytes(points.at(-1).point)}`
    : `about ${formatBytes(2 ** Math.round(Math.log2(at)))}`;
};

const OURS = 'mmap, view(), unmap';

const RULES = {
  'small files': ({ points, ratio }) => {
    const sizes = points('small-file');
    return (
      `**A small file is read, not mapped.** To go once through a warm file, mapping breaks even with \`readSync\` into a buffer that is used ` +
      `again at ${breakEven(sizes, OURS, 'readSync, buffer used again')}, and with \`readFileSync\` at ${breakEven(sizes, OURS, 'readFileSync by path')}. ` +
      `At 4 KiB mapping takes ${ratio('small-file', OURS, 'readSync, buffer used again', 4096)} times as long as the read.`
    );
  },
  lookups: ({ time, ratio }) =>
    `**What is looked up again and again is mapped once.** A random 64-byte read of a warm file takes ${time('random-reads', 'view(Float64Array)')} through a view and ` +
    `${time('random-reads', 'fs.readSync')} through \`fs.readSync\`: ${ratio('random-reads', 'fs.readSync', 'view(Float64Array)')} times as long. C over a map: ` +
    `${time('random-reads', 'C: over a map')}.`,
  'front to back': ({ ratio }) =>
    `**From front to back, the copy is what is saved.** Adding up a gigabyte takes ${ratio('sum', 'readSync of 1 MiB', 'view(Float64Array)')} times as long with \`readSync\` ` +
    `of 1 MiB into the same buffer, ${ratio('sum', 'createReadStream', 'view(Float64Array)')} times with a stream, and ${ratio('sum', 'readFileSync', 'view(Float64Array)')} times with ` +
    `\`readFileSync\`, which has to have the gigabyte twice.`,
  'first byte': ({ ratio }) =>
    `**Only to look at the first byte, open and read.** A path that is mapped, looked at and unmapped takes ` +
    `${ratio('first-byte', 'mmap, view(1), unmap', 'fs.openSync, readSync(1), closeSync')} times as long as open, read and close; so does C ` +
    `(${ratio('first-byte', 'C: open, mmap, munmap', 'C: open, pread, close')} times): the page fault brings sixteen pages, and munmap takes them away.`,
  advice: ({ ratio }) =>
    `**Advice is for cold files, and none fits all.** A thousand random touches of a cold file take ${ratio('advice', 'random', 'no advice', 'random')} of the time with ` +
    `\`advice: 'random'\`; read from front to back, the same advice makes it ${ratio('advice', 'random', 'no advice', 'sequential')} times as long. ` +
    `\`populate\` for a file that is wanted whole: ${ratio('advice', 'populate: true', 'no advice', 'sequential')}.`,
  windows: ({ time, summary }) =>
    `**For a window of something large: \`view()\`, or \`sharedView()\` where the runtime has it.** With a heap of 350 MB, ` +
    `a 1 MiB window of a 1 GiB file mapped, looked at and unmapped takes ${time('map-look-unmap', 'view(), 1 MiB')} and provokes ` +
    `${summary('map-look-unmap', 'view(), 1 MiB').collections} collections; all of \`bytes\` instead takes ${time('map-look-unmap', 'bytes, all of it')}, ` +
    `${summary('map-look-unmap', 'bytes, all of it').collections} collections.`,
  'keep the view': ({ time }) =>
    `**Keep the view.** \`view()\` of a window that has a buffer already takes ${time('view', 'view(), the same window again')}, a new window ` +
    `${time('view', 'view(), a new window each time')}. Read \`buffer\` once when many small windows of a small mapping are wanted: all views then share it.`,
  'huge pages': ({ time, ratio }) =>
    `**Huge pages are what makes zero-filled memory fast, where the kernel has them at hand.** A gigabyte with every page written to takes ` +
    `${time('zero-filled', 'mmap, hugePages')} with them, and ${time('zero-filled', 'Buffer.alloc')} from \`Buffer.alloc\`: the long ones are rounds in which the kernel ` +
    `first had to move memory together. Without them it takes ${ratio('zero-filled', 'mmap', 'Buffer.alloc')} of the time of \`Buffer.alloc\`. Random reads of a gigabyte of huge pages take ` +
    `${ratio('huge-pages', 'hugePages: true', 'pages of 4 KiB', 2 ** 30)} of the time.`,
  'event loop': ({ summary }) =>
    `**The promise forms leave the event loop alone.** Meanwhile its p99 delay is ${formatRatio(summary('loop-delay', 'await sync()').p99Ms.median)} ms for \`sync()\` of a dirty gigabyte, ` +
    `${formatRatio(summary('loop-delay', 'await populate(), cold').p99Ms.median)} ms for \`populate()\` of a cold one, ` +
    `${formatRatio(summary('loop-delay', 'await unmap()').p99Ms.median)} ms for \`unmap()\`; idle it is ${formatRatio(summary('loop-delay', 'idle for 200 ms').p99Ms.median)} ms.`,
  'many processes': ({ summary }) => {
    const memory = (name) =>
      formatBytes(
        summary('curve-readers', name, 64).pssBytes.median - summary('curve-readers', 'idle', 64).pssBytes.median,
      );
    return `**Many processes over one file share it.** 64 of them over 64 MiB take ${memory('mmap')} together beside what Node itself takes, mapped; ${memory('readFileSync')} read.`;
  },
};

export const rulesOfThumb = (cases, names = Object.keys(RULES)) => {
  const look = reader(cases);
  return names
    .flatMap((name) => {
      try {
        return [`- ${RULES[name](look)}`];
      } catch (error) {
        if (error instanceof Missing) return [];
        throw error;
      }
    })
    .join('\n');
};
