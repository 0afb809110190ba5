import { readFileSync, statfsSync, statSync, type Stats } from 'node:fs';
import { mmap } from '../mmap.js';
import { native } from '../native.js';
import { type Command, Refusal } from './command.js';
import { bytes, percent, table, wrap } from './format.js';
import { type Hint, hintsFor } from './hints.js';
import { type Cell, cellsOf, draw, isToldResidency } from './pages.js';

const USAGE = `mmap-native info FILE [--json]

Maps FILE for reading, asks the kernel which of its pages are in memory, and unmaps it. Nothing of the file is read.
`;

const ROWS = 8;

/** statfs(2), as its manual page has them. */
const FILE_SYSTEMS: ReadonlyMap<number, string> = new Map([
  [0xef53, 'ext2/3/4'],
  [0x58465342, 'xfs'],
  [0x9123683e, 'btrfs'],
  [0x01021994, 'tmpfs'],
  [0x794c7630, 'overlayfs'],
  [0x6969, 'nfs'],
  [0xff534d42, 'cifs'],
  [0xfe534d42, 'smb'],
  [0x65735546, 'fuse'],
  [0x01021997, '9p'],
  [0x2fc12fc1, 'zfs'],
  [0xf2f52010, 'f2fs'],
  [0x958458f6, 'hugetlbfs'],
]);
const NETWORK = ['nfs', 'cifs', 'smb', '9p'];

const memoryAvailable = (): number =>
  Number(/^MemAvailable:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'))?.[1] ?? 0) * 1024;

interface Report {
  readonly file: string;
  readonly size: number;
  /** Bytes that have a place on the disk. */
  readonly allocated: number;
  readonly fileSystem: string;
  readonly pageSize: number;
  readonly pages: number;
  /** Undefined where the kernel does not tell. */
  readonly residentPages: number | undefined;
  /** From the start of the file to its end. */
  readonly map: readonly Cell[] | undefined;
  readonly hints: readonly Hint[];
}

/** Something that hints and residency can be told of; a refusal otherwise. */
const statFile = (file: string): Stats => {
  const stats = statSync(file);
  if (!stats.isFile()) throw new Refusal(`'${file}' is not a regular file`);
  return stats;
};

const examine = async (file: string, columns: number): Promise<Report> => {
  const stats = statFile(file);
  const { pageSize } = native;
  const type = statfsSync(file).type;
  const fileSystem = FILE_SYSTEMS.get(type) ?? `0x${type.toString(16)}`;
  const mapping = mmap({ backing: 'file', sharing: 'private', file });
  const size = mapping.length;
  const told = size > 0 && isToldResidency(file, stats);
  const map = told ? await cellsOf(mapping, pageSize, columns * ROWS) : undefined;
  await mapping.unmap();
  const pages = Math.ceil(size / pageSize);
  const allocated = stats.blocks * 512;
  const residentPages = map?.reduce((sum, { resident }) => sum + resident, 0);
  const resident = residentPages === undefined ? undefined : residentPages / pages;
  const network = NETWORK.includes(fileSystem);
  const hints = hintsFor({ size, allocated, resident, memoryAvailable: memoryAvailable(), network });
  return { file, size, allocated, fileSystem, pageSize, pages, residentPages, map, hints };
};

const residencyOf = ({ size, pages, pageSize, residentPages }: Report): string => {
  if (size === 0) return 'nothing to map: it is empty';
  if (residentPages === undefined) return 'not told: the kernel says it only to who owns the file or may write to it';
  return `${residentPages} of ${pages} pages, ${bytes(residentPages * pageSize)}, ${percent(residentPages / pages)}`;
};

const render = (report: Report, columns: number, width: number): string => {
  const { file, size, allocated, fileSystem, pages, pageSize, map, hints } = report;
  let text = `${file}\n\n`;
  text += table([
    ['size', `${size.toLocaleString('en-US')} bytes (${bytes(size)})`],
    ['on disk', `${bytes(allocated)} on ${fileSystem}`],
    ['pages', `${pages} of ${bytes(pageSize)}`],
    ['in memory', residencyOf(report)],
  ]);
  if (map !== undefined) {
    text += `\n${draw(map, width, '  ')}\n`;
    text += `  a mark is ${map[0]?.pages ?? 0} pages; in memory: · none ░ some ▒ half ▓ most █ all\n`;
  }
  text += '\nTo try:\n';
  for (const { hint, why } of hints) text += `  ${hint}\n${wrap(why, columns, '      ')}`;
  return text;
};

export const info: Command = {
  usage: USAGE,
  options: {},
  words: 1,
  run: async ([file = ''], _options, columns) => {
    const width = Math.max(16, Math.min(64, columns - 4));
    const report = await examine(file, width);
    return { report, text: render(report, columns, width) };
  },
};
