import { flag, oneOf, rejectUnknown } from './checks.js';
import { ADVICE, type Advice } from './constants.js';
import { invalidArgType, invalidArgValue, missingOption, outOfRange } from './errors.js';
import { type MappableFile, sharedMemoryPath, toFile, toLabel } from './names.js';
import { toBytes } from './range.js';

/** Whose the changes are: `'private'` stay in this process (MAP_PRIVATE), `'shared'` reach everybody (MAP_SHARED). */
export type Sharing = 'private' | 'shared';

/** What may be done to the bytes: PROT_READ, or PROT_READ | PROT_WRITE. */
export type Access = 'read' | 'readwrite';

interface CommonOptions {
  /** Whose the changes are. No default: it is always said. */
  readonly sharing: Sharing;
  /** Default: `'read'` for a file, `'readwrite'` for anonymous memory. */
  readonly access?: Access | undefined;
  /** MAP_POPULATE: read or make every page now, not at its first touch. Stays silent about pages it cannot get; the method `populate()` does not. Default: false. */
  readonly populate?: boolean | undefined;
  /** mlock2(2): keep the pages in memory; `'onfault'` each from its first touch on (MLOCK_ONFAULT). Default: false. */
  readonly lock?: boolean | 'onfault' | undefined;
  /** MAP_NORESERVE: do not set swap space aside. Default: false. */
  readonly noReserve?: boolean | undefined;
  /**
   * What an access does that the kernel answers with SIGBUS or SIGSEGV: `'report'` gives the page a defined content and
   * reports it (docs/safety.md), `'signal'` leaves the signal to the process, which dies of it. Default: `'report'`.
   */
  readonly onFault?: 'report' | 'signal' | undefined;
  /** madvise(2) on the whole mapping, to begin with. Default: none. */
  readonly advice?: Advice | undefined;
  /** What `mappings()` and `console.log()` call it: 1 to 63 bytes of text. Default: none. */
  readonly label?: string | undefined;
}

/** Options for a mapping of a file. */
export interface FileMappingOptions extends CommonOptions {
  /** What is behind the addresses. No default: it is always said. */
  readonly backing: 'file';
  /** What to map. A path is opened, mapped and closed again. */
  readonly file: MappableFile;
  /** The first byte of the file to map: any, in bytes; it need not be aligned. Default: 0. */
  readonly offset?: number | bigint | undefined;
  /** How much of the file, in bytes; past its end is ERR_OUT_OF_RANGE, unless `grow` is set. Default: up to its end. */
  readonly length?: number | bigint | undefined;
  /** Extend the file to hold the range, with its blocks allocated (fallocate(2)). Needs `sharing: 'shared'`, `access: 'readwrite'` and `length`. Default: false. */
  readonly grow?: boolean | undefined;
  /** Let the range reach past the end of the file, which keeps its length: what is not there is a fault (docs/safety.md). Needs `length`. Default: false. */
  readonly pastEnd?: boolean | undefined;
  /** MADV_HUGEPAGE: ask for transparent huge pages. Default: false. */
  readonly hugePages?: boolean | undefined;
}

/** Options for anonymous memory. */
export interface AnonymousMappingOptions extends CommonOptions {
  /** What is behind the addresses. No default: it is always said. */
  readonly backing: 'anonymous';
  /** How much memory, in bytes. The kernel gives whole pages. Required. */
  readonly length: number | bigint;
  /** `true`: transparent huge pages (MADV_HUGEPAGE). `'hugetlb'`: pages of the reserved pool (MAP_HUGETLB). Default: false. */
  readonly hugePages?: boolean | 'hugetlb' | undefined;
  /** Shared memory only: `true` makes it a sealed memfd that other processes can attach to, `false` plain MAP_SHARED | MAP_ANONYMOUS, which only workers of this process can. Default: true. */
  readonly joinable?: boolean | undefined;
  /** Joinable memory only: `'readonly'` seals it so that no other process can ever write to it (F_SEAL_FUTURE_WRITE). Default: `'readwrite'`. */
  readonly peers?: 'readonly' | 'readwrite' | undefined;
  /** Shared memory only: `'/x'` is found under this name by every process of this user, and stays until `unlink('/x')`: shm_open(3). It is made where it is not there. Default: none. */
  readonly name?: string | undefined;
  /** With `name`: EEXIST where it is there already. Default: false. */
  readonly exclusive?: boolean | undefined;
}

/**
 * What `mmap()` takes. `backing` decides which of the two it is.
 * @example
 * ```ts
 * import { mmap, type MmapOptions } from 'mmap-native';
 * console.log(mmap({ backing: 'file', sharing: 'private', file: 'notes.txt', length: 8 } satisfies MmapOptions).length); // 8
 * ```
 */
export type MmapOptions = FileMappingOptions | AnonymousMappingOptions;

/** Options that were read once, and are good. In two parts: an object that is spread into another gets a new shape each time. */
export type CheckedOptions = CheckedFile | CheckedAnonymous;

interface CheckedFile {
  readonly backing: 'file';
  readonly common: CheckedCommon;
  readonly file: string | Uint8Array | number;
  readonly offset: number;
  readonly length: number | undefined;
  readonly grow: boolean;
  readonly pastEnd: boolean;
  readonly hugePages: boolean;
}

interface CheckedAnonymous {
  readonly backing: 'anonymous';
  readonly common: CheckedCommon;
  readonly length: number;
  readonly joinable: boolean;
  readonly peers: 'readonly' | 'readwrite';
  /** In /dev/shm. */
  readonly path: string | undefined;
  readonly exclusive: boolean;
  readonly hugePages: boolean | 'hugetlb';
}

interface CheckedCommon {
  readonly sharing: Sharing;
  readonly access: Access;
  readonly populate: boolean;
  readonly lock: boolean | 'onfault';
  readonly noReserve: boolean;
  readonly advice: Advice | undefined;
  readonly label: string | undefined;
  readonly guarded: boolean;
}

const COMMON = [
  'backing',
  'sharing',
  'access',
  'length',
  'populate',
  'lock',
  'noReserve',
  'advice',
  'onFault',
  'hugePages',
  'label',
];
const KNOWN = {
  file: [...COMMON, 'file', 'offset', 'grow', 'pastEnd'],
  anonymous: [...COMMON, 'joinable', 'peers', 'name', 'exclusive'],
};
const BACKING = ['file', 'anonymous'] as const;
const SHARING = ['private', 'shared'] as const;
const ACCESS = ['read', 'readwrite'] as const;
const LOCK = [false, true, 'onfault'] as const;
const ON_FAULT = ['report', 'signal'] as const;
const PEERS = ['readwrite', 'readonly'] as const;
const HUGE_PAGES = [false, true, 'hugetlb'] as const;
const TRANSPARENT_HUGE_PAGES = [false, true] as const;

/** Reads every option once, in a fixed order, and checks it. Nothing else is done before that. */
export const checkOptions = (options: unknown): CheckedOptions => {
  if (options === null || typeof options !== 'object') throw invalidArgType('options', 'of type object', options);
  const given = options as Record<string, unknown>;
  const backing = oneOf(given['backing'], BACKING, 'options.backing');
  rejectUnknown(options, KNOWN[backing]);
  const sharing = oneOf(given['sharing'], SHARING, 'options.sharing');
  const common: CheckedCommon = {
    sharing,
    access: oneOf(given['access'], ACCESS, 'options.access', backing === 'file' ? 'read' : 'readwrite'),
    populate: flag(given['populate'], 'options.populate'),
    lock: oneOf(given['lock'], LOCK, 'options.lock', false),
    noReserve: flag(given['noReserve'], 'options.noReserve'),
    advice: checkAdvice(given['advice']),
    label: toLabel(given['label'], 'options.label'),
    guarded: oneOf(given['onFault'], ON_FAULT, 'options.onFault', 'report') === 'report',
  };
  return backing === 'file' ? checkFile(given, common) : checkAnonymous(given, common);
};

const checkAdvice = (value: unknown): Advice | undefined => {
  if (value === undefined) return undefined;
  const advice = toAdvice(value, 'options.advice');
  if (ADVICE[advice].discards !== 'none') throw invalidArgValue('options.advice', 'must not discard memory', value);
  return advice;
};

/** The name of an advice. */
export const toAdvice = (value: unknown, name: string): Advice => oneOf(value, Object.keys(ADVICE) as Advice[], name);

const checkFile = (given: Record<string, unknown>, common: CheckedCommon): CheckedFile => {
  const { file, offset, length } = given;
  const checked: CheckedFile = {
    backing: 'file',
    common,
    offset: offset === undefined ? 0 : toBytes(offset, 'options.offset'),
    length: length === undefined ? undefined : toBytes(length, 'options.length'),
    grow: flag(given['grow'], 'options.grow'),
    pastEnd: flag(given['pastEnd'], 'options.pastEnd'),
    hugePages: flag(given['hugePages'], 'options.hugePages'),
    file: toFile(file, 'options.file'),
  };
  if (checked.length !== undefined && !Number.isSafeInteger(checked.offset + checked.length))
    throw outOfRange('options.length', `>= 0 && <= ${Number.MAX_SAFE_INTEGER - checked.offset}`, length);
  if (checked.grow && (common.sharing !== 'shared' || common.access !== 'readwrite'))
    throw invalidArgValue('options.grow', "needs sharing: 'shared' and access: 'readwrite'", true);
  if ((checked.grow || checked.pastEnd) && checked.length === undefined)
    throw missingOption('options.length', 'what may reach past the end of the file has to say how far');
  return checked;
};

const checkAnonymous = (given: Record<string, unknown>, common: CheckedCommon): CheckedAnonymous => {
  const { length, name, peers } = given;
  if (length === undefined) throw missingOption('options.length', 'anonymous memory has no length of its own');
  const shared = common.sharing === 'shared';
  const path = name === undefined ? undefined : sharedMemoryPath(name, 'options.name');
  if (path !== undefined && !shared) throw invalidArgValue('options.name', "needs sharing: 'shared'", name);
  const exclusive = flag(given['exclusive'], 'options.exclusive');
  if (exclusive && path === undefined) throw invalidArgValue('options.exclusive', 'needs a name', true);
  // who knows the name needs no descriptor
  const joinable = flag(given['joinable'], 'options.joinable', shared && path === undefined);
  if (joinable && path !== undefined) throw invalidArgValue('options.joinable', 'has no meaning with a name', true);
  if (joinable && !shared) throw invalidArgValue('options.joinable', "needs sharing: 'shared'", joinable);
  if (peers !== undefined && !joinable) throw invalidArgValue('options.peers', 'needs joinable memory', peers);
  return {
    backing: 'anonymous',
    common,
    length: toBytes(length, 'options.length'),
    joinable,
    path,
    exclusive,
    peers: oneOf(peers, PEERS, 'options.peers', 'readwrite'),
    hugePages: oneOf(
      given['hugePages'],
      path === undefined ? HUGE_PAGES : TRANSPARENT_HUGE_PAGES,
      'options.hugePages',
      false,
    ),
  };
};
