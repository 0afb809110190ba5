import { readFileSync } from 'node:fs';
import { ADVICE, type Advice, MADV_POPULATE_READ, MAP_SHARED, PROT_WRITE } from './constants.js';
import { addressOf } from './handle.js';
import { type Facts, native } from './native.js';
import { oneOf } from './checks.js';
import { type Access, type Sharing } from './options.js';

/** What the kernel says of a mapping in /proc/self/smaps: proc(5). Bytes, but for the last two. */
export interface Smaps {
  /** Address space. */
  readonly size: number;
  /** In memory. */
  readonly rss: number;
  /** In memory, each page divided by the number of processes that map it. */
  readonly pss: number;
  /** In memory, mapped by others too, and as on the disk. */
  readonly sharedClean: number;
  /** In memory, mapped by others too, and changed. */
  readonly sharedDirty: number;
  /** In memory, mapped by this process alone, and as on the disk. */
  readonly privateClean: number;
  /** In memory, mapped by this process alone, and changed. */
  readonly privateDirty: number;
  /** Pages that this process has copied, or made itself. */
  readonly anonymous: number;
  /** Of these, in transparent huge pages. */
  readonly anonHugePages: number;
  /** Kept in memory: `lock()`. */
  readonly locked: number;
  /** Swapped out. */
  readonly swap: number;
  /** VmFlags: `'sh'` shared, `'wr'` writable, `'hg'` huge pages advised …; see proc(5). */
  readonly vmFlags: readonly string[];
  /** The lines of /proc/self/maps: one, unless parts of the mapping were treated differently. */
  readonly maps: readonly string[];
}

/** One mapping of this process, in whatever thread it was made. */
export interface MappingInfo {
  /** Of its first byte, as in /proc/self/maps. */
  readonly address: string;
  /** Bytes. */
  readonly length: number;
  /** Of its first byte in the file, in bytes; 0 for anonymous memory. */
  readonly offset: number;
  /** What is behind it. */
  readonly backing: 'file' | 'anonymous';
  /** Whose the changes are. */
  readonly sharing: Sharing;
  /** Of the mapping as a whole. */
  readonly access: Access;
  /** The option of `mmap()`. */
  readonly label: string | undefined;
  /** Unmapped, but its address is kept while something of JavaScript's can still reach it. Reads as zeros. */
  readonly decommitted: boolean;
  /** What the kernel has of it. */
  readonly smaps: Smaps;
}

interface Area {
  readonly start: number;
  readonly end: number;
  readonly head: string;
  readonly fields: Map<string, string>;
}

const readAreas = (): Area[] => {
  const areas: Area[] = [];
  for (const line of readFileSync('/proc/self/smaps', 'utf8').split('\n')) {
    const head = /^([\da-f]+)-([\da-f]+) /.exec(line);
    if (head !== null) {
      const [start, end] = [Number(`0x${head[1]}`), Number(`0x${head[2]}`)];
      areas.push({ start, end, head: line, fields: new Map() });
      continue;
    }
    const colon = line.indexOf(':');
    if (colon > 0) areas.at(-1)?.fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  return areas;
};

const smapsOf = (facts: Facts, areas: readonly Area[]): Smaps => {
  const end = facts.address + facts.span;
  const mine = areas.filter((area) => area.start < end && area.end > facts.address);
  const sum = (field: string): number =>
    mine.reduce((total, area) => total + Number.parseInt(area.fields.get(field) ?? '0', 10) * 1024, 0);
  return {
    size: facts.span,
    rss: sum('Rss'),
    pss: sum('Pss'),
    sharedClean: sum('Shared_Clean'),
    sharedDirty: sum('Shared_Dirty'),
    privateClean: sum('Private_Clean'),
    privateDirty: sum('Private_Dirty'),
    anonymous: sum('Anonymous'),
    anonHugePages: sum('AnonHugePages'),
    locked: sum('Locked'),
    swap: sum('Swap'),
    vmFlags: [...new Set(mine.flatMap((area) => area.fields.get('VmFlags')?.split(' ') ?? []))],
    maps: mine.map((area) => area.head),
  };
};

/**
 * Every mapping that this process has through the library, in all its threads, with what the kernel says of it. Neighbours of
 * anonymous memory that the kernel has merged are counted together. Reads /proc/self/smaps: for looking, not for hot paths.
 *
 * @example
 * ```ts
 * import { mappings, mmap } from 'mmap-native';
 *
 * using scratch = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 20 });
 * const info = mappings().find(({ address }) => address === scratch.address);
 * console.log(info?.smaps.size, info?.smaps.vmFlags.includes('wr')); // 1048576 true
 * ```
 */
export const mappings = (): MappingInfo[] => {
  const areas = readAreas();
  return native.list().map((facts) => ({
    address: addressOf(facts),
    length: facts.length,
    offset: facts.offset,
    backing: facts.fd < 0 && facts.inode !== 0n ? 'file' : 'anonymous',
    sharing: (facts.flags & MAP_SHARED) === 0 ? 'private' : 'shared',
    access: (facts.prot & PROT_WRITE) === 0 ? 'read' : 'readwrite',
    label: facts.label,
    decommitted: facts.decommitted,
    smaps: smapsOf(facts, areas),
  }));
};

/** What `supports()` can be asked about: any advice, and what is not there on every kernel or runtime. */
export type Feature = Advice | 'populate' | 'sharedBuffer';

const FEATURES: Readonly<Record<Exclude<Feature, Advice>, () => boolean>> = {
  sharedBuffer: () => native.hasSharedBuffers,
  populate: () => native.knowsAdvice(MADV_POPULATE_READ),
};

/**
 * Whether the running kernel and runtime know a feature.
 *
 * @param feature - an advice, `'populate'` (MADV_POPULATE_READ and _WRITE), or `'sharedBuffer'`.
 * @throws ERR_INVALID_ARG_VALUE for another word.
 *
 * @example
 * ```ts
 * import { supports } from 'mmap-native';
 *
 * console.log(supports('willneed')); // true
 * ```
 */
export const supports = (feature: Feature): boolean => {
  const names = [...Object.keys(ADVICE), ...Object.keys(FEATURES)] as Feature[];
  const name = oneOf(feature, names, 'feature');
  return name in FEATURES
    ? FEATURES[name as keyof typeof FEATURES]()
    : native.knowsAdvice(ADVICE[name as Advice].value);
};
