import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
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
  initialize(makeError: typeof fromNative, transfer: unknown): void;

  mapFile(
    file: string | Uint8Array | number,
    prot: number,
    flags: number,
    offset: number,
    length: number | undefined,
    write: boolean,
    grow: boolean,
    device?: bigint,
    inode?: bigint,
  ): Handle;
  mapAnonymous(prot: number, flags: number, length: number, pageSize: number): Handle;
  mapMemfd(
    name: string,
    prot: number,
    flags: number,
    length: number,
    hugePageSize: number,
    peersReadonly: boolean,
  ): Handle;
  attachMemfd(path: string, name: string, length: number, write: boolean): Handle;
  growFile(fd: number, offset: number, length: number): boolean;

  /** Names the mapping for join(); the name it has already wins. */
  identify(handle: Handle, id: string): string;
  join(id: string): Handle | undefined;
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

  unmap(handle: Handle): void;
  unmapInPool(handle: Handle): Promise<void>;
}

const require = createRequire(import.meta.url);
const load = require('node-gyp-build') as (root: string) => Native;

/** lib/ and dist/ lie at the same depth: the tests run on the sources as they are. */
export const native: Native = load(fileURLToPath(new URL('..', import.meta.url)));

native.initialize(fromNative, (ArrayBuffer.prototype as { transfer?: unknown }).transfer);
