import { loadBinary } from './binary.js';
import { fromNative } from './errors.js';

/** A mapping as native code knows it: an External, of no use to anyone else. */
export interface Handle {
  readonly __handle: never;
}

/** What native code knows of a mapping: src/core/region.h, RegionFacts. Numbers are bytes. */
export interface Facts {
  readonly address: number;
  readonly span: number;
  readonly pageSize: number;
  readonly offset: number;
  readonly length: number;
  readonly prot: number;
  readonly flags: number;
  /** Of shared anonymous memory; -1 where there is none. */
  readonly fd: number;
  readonly device: bigint;
  readonly inode: bigint;
  readonly decommitted: boolean;
  readonly preallocated: boolean;
  readonly peersReadonly: boolean;
  readonly label?: string;
}

/** What happened to a page instead of a signal. */
export type FaultKind = 'truncated' | 'no-space' | 'io' | 'read-only' | 'lost-write' | 'unmapped';

/** The faults of one kind in a mapping, so far. */
export interface FaultRecord {
  /** What happened to the pages: docs/safety.md has what each kind means. */
  readonly kind: FaultKind;
  /** How many pages were replaced. */
  readonly pages: number;
  /** How many of them because of, or together with, a write. */
  readonly writes: number;
  /** Where the first of these pages begins, in bytes of the mapping. */
  readonly first: number;
  /** Where the latest begins. */
  readonly latest: number;
}

/** Faults since the last news, in a mapping watched under an id; 0 if it is not watched. */
export interface FaultNews {
  readonly watch: number;
  readonly faults: readonly FaultRecord[];
}

/** What `refresh()` did. */
export interface Refreshed {
  /** How many pages are the file's again. */
  readonly pages: number;
  /** With `lostWrites: 'return'`: the bytes that had been written and were in no file. */
  readonly lostWrites: readonly {
    /** Where they belong, in bytes of the mapping. */
    readonly offset: number;
    /** A copy: whole pages, with what is around the bytes. */
    readonly bytes: Buffer;
  }[];
}

/** src/binding/operations.cc: what becomes of lost writes. */
export const LOST_WRITES = { refuse: 0, 'write-back': 1, return: 2, discard: 3 } as const;
export type LostWritesCode = (typeof LOST_WRITES)[keyof typeof LOST_WRITES];

/** The right to be the owner of a word: an External. */
export interface Hold {
  readonly __hold: never;
}

/** A doorbell to knock at: an External. */
export interface Doorbell {
  readonly __doorbell: never;
}

/** The exports of src/binding/ipc.cc: what lib/ipc cannot do with Atomics. `index` counts words, as in Atomics. */
interface NativeIpc {
  /** Once, before the first watch: told the id of a watch that fired, and an errno or 0. */
  onFired(fired: (id: number, errno: number) => void): void;
  /** Whether watches keep the event loop running. */
  keepAlive(yes: boolean): void;
  /** `pairs`: `count` times index and expected value. 0: woken, 1: not equal, 2: timed out, -1: the memory is not shared. */
  waitSync(view: Int32Array, pairs: Int32Array, count: number, timeout: number, turn: () => void): number;
  wake(view: Int32Array, index: number, count: number): number;
  /** The change and the wake are one system call, which SIGKILL cannot come between. */
  addAndWakeAll(view: Int32Array, index: number, operand: number): void;
  clearAndWakeAll(view: Int32Array, index: number): void;
  /** An id, or -1: the memory is not shared. Fires once, when the word is woken or has another value. */
  watch(view: Int32Array, index: number, expected: number): number;
  /** False when it has fired: then it is told of. */
  unwatch(id: number): boolean;
  /** How often a second look found what no wake-up had told of: never, unless who was to tell it was killed. */
  foundLate(): number;
  newHold(handle: Handle, offset: number): Hold;
  ownerOf(hold: Hold): number;
  endHold(hold: Hold): void;
  mapRing(handle: Handle, offset: number, head: number, capacity: number): Handle;
  /** src/core/doorbell.h: a descriptor to read from, one for others to open, and the inode that they know it by. */
  makeDoorbell(): [readFd: number, writeFd: number, inode: number];
  openDoorbell(pid: number, fd: number, inode: number): Doorbell | undefined;
  /** Whether somebody listens. */
  knock(doorbell: Doorbell): boolean;
}

/**
 * The exports of src/addon.cc. Numbers are bytes and kernel constants; whoever calls has checked them, and they are
 * checked again, against the mapping, before a system call sees them. Failures are errors made by lib/errors.ts.
 */
interface Native {
  readonly pageSize: number;
  readonly sourceHash: string;
  /** Whether this runtime can make a SharedArrayBuffer over a mapping. */
  readonly hasSharedBuffers: boolean;
  /** `storesDieOnce`: finalizers of buffers come when their memory is out of reach, even as a worker ends. */
  initialize(makeError: typeof fromNative, transfer: unknown, storesDieOnce: boolean): void;

  mapFile(
    file: string | Uint8Array | number,
    prot: number,
    flags: number,
    offset: number,
    length: number | undefined,
    write: boolean,
    grow: boolean,
    pastEnd: boolean,
    guarded: boolean,
    device?: bigint,
    inode?: bigint,
  ): Handle;
  mapAnonymous(prot: number, flags: number, length: number, pageSize: number, guarded: boolean): Handle;
  mapMemfd(
    name: string,
    prot: number,
    flags: number,
    length: number,
    hugePageSize: number,
    peersReadonly: boolean,
    guarded: boolean,
  ): Handle;
  mapNamed(path: string, prot: number, flags: number, length: number, exclusive: boolean, guarded: boolean): Handle;
  attachMemfd(pathOrFd: string | number, name: string, length: number, write: boolean): Handle;
  growFile(fd: number, offset: number, length: number): boolean;

  /** Names the mapping for join(); the name it has already wins. */
  identify(handle: Handle, id: string): string;
  /** UTF-8, at most LABEL_LENGTH bytes. */
  label(handle: Handle, label: string): void;
  join(id: string): Handle | undefined;
  /** Bytes in it: of all the facts, what is asked for at each mapping of a file. */
  length(handle: Handle): number;
  facts(handle: Handle): Facts;
  list(): Facts[];

  /** `offset` counts from the start of the first page, and is a multiple of 8. */
  buffer(handle: Handle, offset: number, length: number): ArrayBuffer;
  sharedBuffer(handle: Handle, offset: number, length: number): SharedArrayBuffer;

  copyOut(handle: Handle, offset: number, into: NodeJS.ArrayBufferView): number;
  copyIn(handle: Handle, offset: number, from: NodeJS.ArrayBufferView): number;
  protect(handle: Handle, offset: number, length: number, prot: number): void;
  /** Throws what resize() would throw because of others. */
  checkResizable(handle: Handle): void;
  resize(handle: Handle, length: number, fd: number): Handle;

  msync(handle: Handle, offset: number, length: number, flags: number, inPool: true): Promise<void>;
  msync(handle: Handle, offset: number, length: number, flags: number, inPool: false): void;
  madvise(handle: Handle, offset: number, length: number, advice: number, inPool: true): Promise<void>;
  madvise(handle: Handle, offset: number, length: number, advice: number, inPool: false): void;
  /** Only pages that lie wholly in the range. */
  madviseInside(handle: Handle, offset: number, length: number, advice: number, inPool: false): void;
  /** Whether the kernel knows the advice at all. */
  knowsAdvice(advice: number): boolean;
  mlock(handle: Handle, offset: number, length: number, flags: number, inPool: true): Promise<void>;
  mlock(handle: Handle, offset: number, length: number, flags: number, inPool: false): void;
  munlock(handle: Handle, offset: number, length: number, unused: 0, inPool: false): void;
  mincore(handle: Handle, offset: number, length: number, unused: 0, inPool: true): Promise<ArrayBuffer>;
  mincore(handle: Handle, offset: number, length: number, unused: 0, inPool: false): ArrayBuffer;

  listenForFaults(onFaults: (news: readonly FaultNews[]) => void): void;
  faults(handle: Handle): FaultRecord[];
  watchFaults(handle: Handle, id: number): void;
  /** One counter for each guarded mapping; undefined where nothing is guarded. */
  faultWords(): ArrayBuffer | undefined;
  /** Which of them counts the faults of this mapping; -1 for none. */
  faultWord(handle: Handle): number;
  verify(handle: Handle): { readonly fileSize: number; readonly lostPages: number; readonly lostFirst: number };
  refresh(handle: Handle, offset: 0, length: number, lostWrites: LostWritesCode, inPool: true): Promise<Refreshed>;
  refresh(handle: Handle, offset: 0, length: number, lostWrites: LostWritesCode, inPool: false): Refreshed;

  /** How many faults it had. @throws EBUSY while one of its words is held through it. */
  beginUnmap(handle: Handle): number;
  unmap(handle: Handle): void;
  unmapInPool(handle: Handle): Promise<void>;

  readonly ipc: NativeIpc;
}

export const native = loadBinary() as Native;

native.initialize(
  fromNative,
  (ArrayBuffer.prototype as { transfer?: unknown }).transfer,
  process.versions['deno'] !== undefined,
);
