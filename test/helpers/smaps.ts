import { readFileSync } from 'node:fs';
import { mappings, type Mapping } from '../../lib/index.js';

/** One area of /proc/self/smaps. Numbers are bytes. */
export interface Area {
  readonly start: number;
  readonly end: number;
  /** `'rw-p'` */
  readonly permissions: string;
  readonly offset: number;
  readonly inode: number;
  readonly path: string;
  /** `'sh'`, `'wr'`, … */
  readonly flags: readonly string[];
  readonly bytes: (field: string) => number;
}

/** What the kernel has mapped in this process. Not by way of the library, which is what is tested. */
const areas = (): Area[] =>
  readFileSync('/proc/self/smaps', 'utf8')
    .split(/^(?=[\da-f]+-[\da-f]+ )/m)
    .map((text) => {
      const [head = ''] = text.split('\n', 1);
      const [range = '', permissions = '', offset = '', , inode = '', ...path] = head.split(/ +/);
      const [start = 0, end = 0] = range.split('-').map((word) => Number.parseInt(word, 16));
      return {
        start,
        end,
        permissions,
        offset: Number.parseInt(offset, 16),
        inode: Number(inode),
        path: path.join(' '),
        flags: /^VmFlags: (.*?) *$/m.exec(text)?.[1]?.split(' ') ?? [],
        bytes: (field) => Number(new RegExp(`^${field}: +(\\d+) kB$`, 'm').exec(text)?.[1]) * 1024,
      };
    });

/** The area that an address lies in. */
export const smaps = (address: number): Area => {
  const found = areas().find(({ start, end }) => start <= address && address < end);
  if (found === undefined) throw new Error(`nothing is mapped at 0x${address.toString(16)}`);
  return found;
};

/** All areas over one path. */
export const areasOf = (path: string): Area[] => areas().filter((area) => area.path.startsWith(path));

/** The areas that an address range touches. */
export const areasIn = (start: number, length: number): Area[] =>
  areas().filter((area) => area.start < start + length && area.end > start);

/** Where a mapping lies: the newest that looks like it. */
export const addressOf = (mapping: Mapping): number => {
  const info = mappings().find(({ length, offset }) => length === mapping.length && offset === mapping.offset);
  if (info === undefined) throw new Error('not in mappings()');
  return Number(info.address);
};
