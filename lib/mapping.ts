import { inspect, type InspectOptionsStylized } from 'node:util';
import {
  type AdviseOptions,
  type LockOptions,
  type PopulateOptions,
  readAdvise,
  readCopy,
  readLock,
  readPopulate,
  readRange,
  readSync,
  type SyncOptions,
} from './arguments.js';
import { ADVICE, type Advice, PROT_READ, PROT_WRITE } from './constants.js';
import { inspectMapping, publishMap, publishSync, publishSyncSync, publishUnmap } from './diagnostics.js';
import { illegalConstructor, invalidArgValue, invalidState, systemError, withName } from './errors.js';
import { type FaultListener, Faults, readRefresh, type RefreshOptions, type Verdict } from './faults.js';
import { addressOf, describe, type MappingHandle, type Origin } from './handle.js';
import { type FaultRecord, type Handle, native, type Refreshed } from './native.js';
import { oneOf } from './checks.js';
import { type Access, type Sharing, toAdvice } from './options.js';
import { type ByteRange, toBytes } from './range.js';
import { type Residency, readResidency } from './residency.js';
import { resize, type ResizeOptions } from './resize.js';
import { type SharedViewType, Views, type ViewType } from './views.js';

/** From here on the kernel takes long enough over an unmap to be asked from the thread pool. */
const LARGE = 2 ** 20;
const DONE = Promise.resolve();
/** Only mmap(), attach() and resize() make mappings. */
const KEY = Symbol('Mapping');

/**
 * A mapping of a file or of anonymous memory: what `mmap()` and `attach()` return.
 *
 * Every `offset` and `length` is in bytes of the mapping, a number or a BigInt from 0 to 2^53 - 1, and need not be aligned to
 * pages: what a method does, it does to every page that the range touches, except where it says otherwise. A range that is not inside of
 * the mapping is `ERR_OUT_OF_RANGE`, a wrong type `ERR_INVALID_ARG_TYPE`, an unknown option `ERR_INVALID_ARG_VALUE`. After `unmap()` all
 * methods fail with `ERR_INVALID_STATE`.
 *
 * @example
 * ```ts
 * import { mmap } from 'mmap-native';
 *
 * using notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt', offset: 5, length: 8 });
 * console.log(notes.backing, notes.sharing, notes.access, notes.offset, notes.length); // file private read 5 8
 * ```
 */
export class Mapping {
  #handle: Handle;
  #views: Views;
  #length: number;
  #access: Access;
  #unmapped = false;
  readonly #faults: Faults;
  readonly #origin: Origin;
  readonly #offset: number;

  static {
    // what console.log() shows; as a method it would be part of the types
    Object.defineProperty(Mapping.prototype, inspect.custom, {
      value(this: Mapping, depth: number, options: InspectOptionsStylized): string {
        return inspectMapping(this, this.#origin, depth, options);
      },
    });
  }

  /** @internal */
  constructor(key: symbol, handle: Handle, origin: Origin, offset: number, length: number, pageSize: number) {
    if (key !== KEY) throw illegalConstructor('Mapping', 'mmap()');
    this.#handle = handle;
    this.#origin = origin;
    this.#access = origin.access;
    this.#offset = offset;
    this.#length = length;
    this.#views = new Views(handle, offset % pageSize, length);
    this.#faults = new Faults(handle, this);
  }

  /** What is behind the addresses: `'file'` or `'anonymous'` (MAP_ANONYMOUS, or a memfd). */
  get backing(): 'file' | 'anonymous' {
    return this.#origin.backing;
  }

  /** Whose the changes are: `'private'` (MAP_PRIVATE) or `'shared'` (MAP_SHARED). */
  get sharing(): Sharing {
    return this.#origin.sharing;
  }

  /** `'read'` or `'readwrite'`: of the whole mapping, as it was made or last set by `protect()`. */
  get access(): Access {
    return this.#access;
  }

  /** What `mmap()` was told to call it. */
  get label(): string | undefined {
    return this.#origin.label;
  }

  /** Where in the file the mapping begins, in bytes. 0 for anonymous memory. */
  get offset(): number {
    return this.#offset;
  }

  /** Bytes in the mapping. 0 after `unmap()`. */
  get length(): number {
    return this.#unmapped ? 0 : this.#length;
  }

  /**
   * Whether `unmap()` was called.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt' });
   * notes.unmapSync();
   * console.log(notes.unmapped, notes.length); // true 0
   * ```
   */
  get unmapped(): boolean {
    return this.#unmapped;
  }

  /**
   * An ArrayBuffer over the mapping, made when it is first asked for.
   *
   * It begins at the multiple of 8 bytes at or before the first byte: `bytes.byteOffset` is where the mapping begins in it,
   * and 0 whenever `offset` is a multiple of 8. The garbage collector counts it in full: for a window of something large use
   * `view()`.
   * @throws ERR_BUFFER_TOO_LARGE when the runtime has no ArrayBuffer as large (4 GiB on Node.js 20 and Bun).
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt', offset: 5 });
   * console.log(Buffer.from(notes.buffer, notes.bytes.byteOffset, 8).toString()); // mappings
   * ```
   */
  get buffer(): ArrayBuffer {
    this.#live();
    return this.#views.buffer();
  }

  /**
   * A Buffer over exactly the bytes of the mapping, on `buffer`. The same one each time.
   * @throws ERR_BUFFER_TOO_LARGE, as `buffer` does.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt' });
   * console.log(notes.bytes.subarray(0, 4).toString()); // Four
   * ```
   */
  get bytes(): Buffer {
    this.#live();
    return this.#views.bytes();
  }

  /**
   * A typed array, DataView or Buffer over a part of the mapping, which may lie beyond 4 GiB.
   *
   * @param Type - the constructor, such as `Float32Array`.
   * @param offset - the first byte; in the file it must be a multiple of the element's size. Default: 0.
   * @param length - how many bytes (not elements); a multiple of the element's size. Default: up to the end.
   * @throws ERR_OUT_OF_RANGE outside of the mapping, ERR_INVALID_ARG_VALUE where it is not aligned, ERR_INVALID_ARG_TYPE for what is no such
   * constructor, ERR_BUFFER_TOO_LARGE.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using table = mmap({ backing: 'file', sharing: 'private', file: 'embeddings.f32' });
   * const row = table.view(Float32Array, 1024, 16);
   * console.log(row.length, row[0]); // 4 128
   * ```
   */
  view<View>(Type: ViewType<View>, offset?: number | bigint, length?: number | bigint): View {
    this.#live();
    return this.#views.view(Type, offset, length);
  }

  /**
   * A SharedArrayBuffer over the mapping: the same memory, to post to workers, and free of charge to the collector. It
   * cannot be taken away: after `unmap()` it reads as zeros. Begins where `buffer` does.
   * @throws ERR_FEATURE_UNAVAILABLE_ON_PLATFORM where the runtime cannot make one (Node.js 20, Deno), ERR_BUFFER_TOO_LARGE.
   * @example
   * ```ts
   * import { mmap, supports } from 'mmap-native';
   *
   * using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
   * if (supports('sharedBuffer')) new Int32Array(shared.sharedBuffer)[0] = 42;
   * else shared.view(Int32Array)[0] = 42;
   * console.log(shared.bytes[0]); // 42
   * ```
   */
  get sharedBuffer(): SharedArrayBuffer {
    this.#live();
    return this.#views.sharedBuffer();
  }

  /**
   * Like `view()`, over `sharedBuffer`. Use it for memory that others write to: docs/safety.md says why.
   * @param Type - the constructor.
   * @param offset - bytes, a multiple of the element's size. Default: 0.
   * @param length - bytes, a multiple of the element's size. Default: up to the end.
   * @throws as `view()` and `sharedBuffer` do.
   * @example
   * ```ts
   * import { mmap, supports } from 'mmap-native';
   *
   * using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
   * const counter = supports('sharedBuffer') ? shared.sharedView(Int32Array, 0, 4) : shared.view(Int32Array, 0, 4);
   * console.log(Atomics.add(counter, 0, 1), counter[0]); // 0 1
   * ```
   */
  sharedView<View>(Type: SharedViewType<View>, offset?: number | bigint, length?: number | bigint): View {
    this.#live();
    return this.#views.sharedView(Type, offset, length);
  }

  /**
   * Copies bytes out of the mapping, without a fault whatever became of the file: process_vm_readv(2).
   *
   * @param into - filled from its start.
   * @param options - what to copy. Default length: what fits.
   * @returns how many bytes were copied: fewer than asked for where the file has ended.
   * @throws EFAULT when not even the first byte can be read.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt' });
   * const copy = Buffer.alloc(8);
   * console.log(notes.read(copy, { offset: 5 }), copy.toString()); // 8 mappings
   * ```
   */
  read(into: NodeJS.ArrayBufferView, options?: ByteRange): number {
    const { offset, length } = this.#checked(readCopy(into, 'into', options, this.#length, true));
    return length === 0
      ? 0
      : native.copyOut(this.#handle, offset, new Uint8Array(into.buffer, into.byteOffset, length));
  }

  /**
   * Copies bytes into the mapping, without a fault: process_vm_writev(2).
   *
   * @param from - written from its start.
   * @param options - where to. Default length: all of `from`, which must fit.
   * @returns how many bytes were copied: fewer than asked for where the file has ended or its disk is full.
   * @throws EACCES when `access` is `'read'`, EFAULT when not even the first byte can be written.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * console.log(log.write(Buffer.from('started'), { offset: 16 })); // 7
   * ```
   */
  write(from: NodeJS.ArrayBufferView, options?: ByteRange): number {
    const { offset, length } = this.#checked(readCopy(from, 'from', options, this.#length, false));
    if (this.#access === 'read') throw systemError(-13, 'process_vm_writev', "The mapping's access is 'read'");
    return length === 0 ? 0 : native.copyIn(this.#handle, offset, new Uint8Array(from.buffer, from.byteOffset, length));
  }

  /**
   * Text out of the mapping, from a copy: safe whoever writes meanwhile. process_vm_readv(2).
   * @param options - which bytes. Default: all.
   * @param encoding - those of Buffer. Default: `'utf8'`.
   * @throws EFAULT where a byte cannot be read, ERR_INVALID_ARG_VALUE for an unknown encoding; Node's own ERR_STRING_TOO_LONG.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt' });
   * console.log(notes.text({ offset: 5, length: 8 })); // mappings
   * ```
   */
  text(options?: ByteRange, encoding: BufferEncoding = 'utf8'): string {
    if (!Buffer.isEncoding(encoding)) throw invalidArgValue('encoding', 'must be the name of an encoding', encoding);
    const { offset, length } = this.#checked(readRange(options, this.#length));
    const copy = Buffer.allocUnsafeSlow(length);
    const count = length === 0 ? 0 : native.copyOut(this.#handle, offset, copy);
    if (count < length) throw systemError(-14, 'process_vm_readv', `Only ${count} of ${length} bytes can be read`);
    return copy.toString(encoding);
  }

  /**
   * Writes the changes in a range to the file and waits until they are on the disk: msync(2), MS_SYNC. Other processes that map
   * the file see them without. A private mapping has nothing to write.
   *
   * @param options - which bytes, default: all; `invalidate: true` also asks other mappings of the file to be brought up to date
   * (MS_INVALIDATE). Default: false.
   * @throws EIO, ENOSPC, EDQUOT: the changes are not on the disk. EBUSY: `invalidate` on locked pages. ERR_LOST_WRITES: bytes in these
   * pages were written and are in no file; `offset` says where.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * log.bytes.write('stopped', 0);
   * await log.sync({ length: 7 });
   * ```
   */
  async sync(options?: SyncOptions): Promise<void> {
    const { offset, length, flags } = this.#checked(readSync(options, this.#length));
    await publishSync(this, { offset, length }, async () => native.msync(this.#handle, offset, length, flags, true));
  }

  /**
   * The blocking form of `sync()`.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * log.bytes.write('stopped', 0);
   * log.syncSync({ length: 7 });
   * ```
   */
  syncSync(options?: SyncOptions): void {
    const { offset, length, flags } = this.#checked(readSync(options, this.#length));
    publishSyncSync(this, { offset, length }, () => {
      native.msync(this.#handle, offset, length, flags, false);
    });
  }

  /**
   * Tells the kernel how a range will be used: madvise(2).
   *
   * Advice that throws bytes away (`'dontneed'` on private memory, `'free'`, `'remove'`) needs `discard: true`, and then acts
   * only on pages that lie wholly inside the range.
   * @param advice - the stem of the kernel's name: `'willneed'` is MADV_WILLNEED.
   * @param options - which bytes, default: all; `discard`, default: false.
   * @throws EINVAL, EOPNOTSUPP with the name of an advice that the kernel, or the file system, does not know: see `supports()`.
   * ERR_INVALID_ARG_VALUE without `discard`.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using scratch = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 20 });
   * scratch.bytes.fill(7);
   * scratch.advise('dontneed', { discard: true });
   * console.log(scratch.bytes[0]); // 0
   * ```
   */
  advise(advice: Advice, options?: AdviseOptions): void {
    const name = toAdvice(advice, 'advice');
    const { offset, length, discard } = this.#checked(readAdvise(options, this.#length));
    const { value, discards } = ADVICE[name];
    // pages that faults replaced are private, whatever the mapping is
    const hasPrivate = this.sharing === 'private' || this.faultCount > 0;
    const loses = discards === 'always' || (discards === 'private' && hasPrivate);
    if (loses && !discard) throw invalidArgValue('advice', 'throws bytes away, and needs discard: true', name);
    try {
      if (loses) native.madviseInside(this.#handle, offset, length, value, false);
      else native.madvise(this.#handle, offset, length, value, false);
    } catch (error) {
      throw withName(error, `MADV_${name.toUpperCase()}`);
    }
  }

  /**
   * Changes what may be done to a range: mprotect(2), on every page that it touches.
   * @param access - `'read'` (PROT_READ) or `'readwrite'` (PROT_READ | PROT_WRITE).
   * @param options - which bytes. Default: all.
   * @throws EACCES for `'readwrite'` on a shared mapping of a file that was opened for reading; ENOMEM near `vm.max_map_count`.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using scratch = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 20 });
   * scratch.protect('read');
   * console.log(scratch.access); // read
   * ```
   */
  protect(access: Access, options?: ByteRange): void {
    const wanted = oneOf(access, ['read', 'readwrite'] as const, 'access');
    const { offset, length } = this.#checked(readRange(options, this.#length));
    native.protect(this.#handle, offset, length, wanted === 'read' ? PROT_READ : PROT_READ | PROT_WRITE);
    if (length === this.#length) this.#access = wanted;
  }

  /**
   * Reads a range into memory and keeps it there: mlock2(2).
   * @param options - which bytes, default: all; `onFault: true` locks each page from its first touch on, and reads nothing now
   * (MLOCK_ONFAULT). Default: false.
   * @throws ENOMEM, EPERM beyond RLIMIT_MEMLOCK; EAGAIN where a page could not be read.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using secret = mmap({ backing: 'anonymous', sharing: 'private', length: 4096 });
   * await secret.lock();
   * secret.bytes.fill('s');
   * ```
   */
  async lock(options?: LockOptions): Promise<void> {
    const { offset, length, flags } = this.#checked(readLock(options, this.#length));
    await native.mlock(this.#handle, offset, length, flags, true);
  }

  /**
   * The blocking form of `lock()`.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using secret = mmap({ backing: 'anonymous', sharing: 'private', length: 4096 });
   * secret.lockSync({ onFault: true });
   * ```
   */
  lockSync(options?: LockOptions): void {
    const { offset, length, flags } = this.#checked(readLock(options, this.#length));
    native.mlock(this.#handle, offset, length, flags, false);
  }

  /**
   * Undoes `lock()`: munlock(2). Locks do not add up: once is enough.
   * @param options - which bytes. Default: all.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using secret = mmap({ backing: 'anonymous', sharing: 'private', length: 4096 });
   * await secret.lock();
   * secret.unlock();
   * ```
   */
  unlock(options?: ByteRange): void {
    const { offset, length } = this.#checked(readRange(options, this.#length));
    native.munlock(this.#handle, offset, length, 0, false);
  }

  /**
   * Which pages of a range are in memory: mincore(2). An answer of the past: pages come and go.
   * @param options - which bytes. Default: all.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using scratch = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 20 });
   * scratch.bytes[0] = 1;
   * const { resident, pages } = await scratch.residency({ length: 4096 });
   * console.log(resident, pages); // 1 1
   * ```
   */
  async residency(options?: ByteRange): Promise<Residency> {
    const range = this.#checked(readRange(options, this.#length));
    const bits = await native.mincore(this.#handle, range.offset, range.length, 0, true);
    return readResidency(bits, range, this.#offset % native.pageSize, native.pageSize);
  }

  /**
   * The blocking form of `residency()`.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using scratch = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 20 });
   * console.log(scratch.residencySync().resident); // 0
   * ```
   */
  residencySync(options?: ByteRange): Residency {
    const range = this.#checked(readRange(options, this.#length));
    const bits = native.mincore(this.#handle, range.offset, range.length, 0, false);
    return readResidency(bits, range, this.#offset % native.pageSize, native.pageSize);
  }

  /**
   * Makes every page of a range present, so that no later access has to wait: madvise(2), MADV_POPULATE_READ or _WRITE.
   *
   * @param options - which bytes, default: all; `write: true` makes them writable at once: private pages are copied, shared ones get their place in
   * the file system. Default: true for read-write anonymous memory, else false.
   * @throws EFAULT where the file has ended or the disk is full, EINVAL on Linux before 5.14.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using scratch = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 20 });
   * await scratch.populate({ length: 65_536 });
   * console.log(scratch.residencySync({ length: 65_536 }).ratio); // 1
   * ```
   */
  async populate(options?: PopulateOptions): Promise<void> {
    const { offset, length, advice, name } = this.#checked(
      readPopulate(options, this.#length, this.#writesAnonymous()),
    );
    try {
      await native.madvise(this.#handle, offset, length, advice, true);
    } catch (error) {
      throw withName(error, name);
    }
  }

  /**
   * The blocking form of `populate()`.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using scratch = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 20 });
   * scratch.populateSync();
   * console.log(scratch.residencySync().ratio); // 1
   * ```
   */
  populateSync(options?: PopulateOptions): void {
    const { offset, length, advice, name } = this.#checked(
      readPopulate(options, this.#length, this.#writesAnonymous()),
    );
    try {
      native.madvise(this.#handle, offset, length, advice, false);
    } catch (error) {
      throw withName(error, name);
    }
  }

  /**
   * Gives the mapping another length: mremap(2). All views made before are detached, and `buffer` is new.
   *
   * A file is never cut: a shorter mapping just covers less of it. Growing past the end of the file needs `grow: true`, as in `mmap()`.
   * Shared anonymous memory cannot grow: its length is sealed.
   * @param length - bytes; any number.
   * @param options - `grow`: extend the file, default: false; `file`: the file of a mapping that was made of a descriptor.
   * @throws EBUSY while an operation is in flight, others have attached, or pages wait for `refresh()`; ERR_OUT_OF_RANGE past the end of
   * the file; ERR_INVALID_STATE for shared anonymous memory; ERR_MISSING_OPTION, ERR_STALE_HANDLE for `file`; EFAULT where parts were given
   * another access, advice or lock; ENOMEM, ENOSPC, EDQUOT.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * log.resize(100_000, { grow: true });
   * console.log(log.length); // 100000
   * ```
   */
  resize(length: number | bigint, options?: ResizeOptions): void {
    const wanted = toBytes(length, 'length');
    this.#live();
    const facts = native.facts(this.#handle);
    const next = resize(this.#handle, facts, this.#origin, wanted, options);
    this.#handle = next;
    this.#faults.moveTo(next);
    this.#length = wanted;
    this.#views = new Views(this.#handle, this.#offset % facts.pageSize, wanted);
  }

  /**
   * The descriptor of joinable memory, for the `stdio` of a child that gets `handle({ inheritedFd })`. It is the mapping's: never
   * close it. Undefined where there is none.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
   * console.log(typeof shared.fd); // number
   * ```
   */
  get fd(): number | undefined {
    this.#live();
    const { fd } = native.facts(this.#handle);
    return fd < 0 ? undefined : fd;
  }

  /**
   * Where the mapping is in this process, in hexadecimal, as in `mappings()` and /proc/self/maps.
   *
   * @example
   * ```ts
   * import { mappings, mmap } from 'mmap-native';
   *
   * using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
   * console.log(shared.address === mappings()[0]?.address); // true
   * ```
   */
  get address(): string {
    this.#live();
    return addressOf(native.facts(this.#handle));
  }

  /**
   * A plain JSON object that `attach()` turns into a Mapping of the same memory, in a worker or in another process. It holds nothing:
   * this mapping must live until the other side has attached.
   *
   * @param options - `inheritedFd`: the number under which a child process gets the descriptor (see docs/choosing.md). Default: none.
   * @throws ERR_INVALID_STATE for `inheritedFd` where there is no descriptor.
   * @example
   * ```ts
   * import { attach, mmap } from 'mmap-native';
   *
   * using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
   * const json = JSON.stringify(shared.handle());
   * using same = attach(JSON.parse(json));
   * same.bytes[0] = 7;
   * console.log(shared.bytes[0]); // 7
   * ```
   */
  handle(options?: { readonly inheritedFd?: number | undefined }): MappingHandle {
    this.#live();
    return describe(this.#handle, this.#origin, options);
  }

  /**
   * What happened in this mapping that would have ended the process: an entry for each kind, [] as long as nothing
   * did. docs/safety.md says what each kind means.
   *
   * @example
   * ```ts
   * import { truncateSync } from 'node:fs';
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log' });
   * truncateSync('events.log', 0);
   * console.log(log.bytes[4096], log.faults[0]?.kind, log.faults[0]?.first); // 0 truncated 4096
   * ```
   */
  get faults(): readonly FaultRecord[] {
    return this.#faults.records();
  }

  /**
   * How many faults there were. Right as soon as an access has returned, and read without a native call.
   *
   * @example
   * ```ts
   * import { truncateSync } from 'node:fs';
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log' });
   * truncateSync('events.log', 0);
   * console.log(log.bytes[0], log.faultCount); // 0 1
   * ```
   */
  get faultCount(): number {
    return this.#faults.count();
  }

  /**
   * Listens to faults of this mapping. Many faults at once are one event; it does not keep the event loop alive.
   * @param event - `'fault'`.
   * @param listener - called with what `faults` has.
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * log.on('fault', (faults) => {
   *   for (const { kind, pages, first } of faults) console.error(`${kind}: ${pages} pages, from byte ${first}`);
   * });
   * ```
   */
  on(event: 'fault', listener: FaultListener): this {
    oneOf(event, ['fault'], 'event');
    this.#faults.on(listener);
    return this;
  }

  /**
   * Undoes `on()`.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * const listener = (): void => {};
   * log.on('fault', listener).off('fault', listener);
   * ```
   */
  off(event: 'fault', listener: FaultListener): this {
    oneOf(event, ['fault'], 'event');
    this.#faults.off(listener);
    return this;
  }

  /**
   * Looks at the file now, without waiting for an access: does it still cover the mapping? fstat(2).
   * @throws ERR_INVALID_STATE for memory without a descriptor.
   * @example
   * ```ts
   * import { truncateSync } from 'node:fs';
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log' });
   * truncateSync('events.log', 100);
   * console.log(log.verify().covered, log.verify().fileSize); // false 100
   * ```
   */
  verify(): Verdict {
    this.#live();
    const { fileSize, lostPages } = native.verify(this.#handle);
    return { fileSize, covered: fileSize >= this.#offset + this.#length, lostPages };
  }

  /**
   * Gives pages that were replaced after faults back to the file, where it covers them again.
   *
   * @param options - `lostWrites`: what becomes of bytes that were written and are in no file: `'write-back'` writes them to
   * the file now, `'return'` hands them back, `'discard'` drops them. Default: none of these, which refuses with ERR_LOST_WRITES.
   * @throws ERR_LOST_WRITES; ENOSPC when they still do not fit.
   * @example
   * ```ts
   * import { truncateSync } from 'node:fs';
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * truncateSync('events.log', 0);
   * log.bytes[0] = 7;
   * truncateSync('events.log', 65_536);
   * const { pages } = await log.refresh({ lostWrites: 'write-back' });
   * console.log(pages > 0, log.bytes[0], log.verify().lostPages); // true 7 0
   * ```
   */
  async refresh(options?: RefreshOptions): Promise<Refreshed> {
    return native.refresh(this.#handle, 0, this.#length, this.#checked(readRefresh(options)), true);
  }

  /**
   * The blocking form of `refresh()`.
   *
   * @example
   * ```ts
   * import { truncateSync } from 'node:fs';
   * import { mmap } from 'mmap-native';
   *
   * using log = mmap({ backing: 'file', sharing: 'shared', file: 'events.log', access: 'readwrite' });
   * truncateSync('events.log', 0);
   * log.bytes[0] = 7;
   * truncateSync('events.log', 65_536);
   * const { lostWrites } = log.refreshSync({ lostWrites: 'return' });
   * console.log(lostWrites[0]?.bytes[0], log.bytes[0]); // 7 0
   * ```
   */
  refreshSync(options?: RefreshOptions): Refreshed {
    return native.refresh(this.#handle, 0, this.#length, this.#checked(readRefresh(options)), false);
  }

  /**
   * Ends the mapping: munmap(2). For JavaScript it is over at once: all views made of it have length 0 (those that cannot be taken away
   * read as zeros). The promise is fulfilled when the kernel has its part done, on the thread pool where it is
   * large. Calling it again does nothing.
   * @throws ERR_LOST_WRITES where bytes were written and are in no file: it is unmapped all the same. EBUSY while a lock in it is held
   * (mmap-native/ipc).
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * const notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt' });
   * const { bytes } = notes;
   * await notes.unmap();
   * console.log(bytes.length); // 0
   * ```
   */
  unmap(): Promise<void> {
    if (this.#unmapped) return DONE;
    try {
      this.#end();
      if (this.#length >= LARGE) return native.unmapInPool(this.#handle);
      native.unmap(this.#handle);
      return DONE;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * The blocking form of `unmap()`, which `using` calls.
   *
   * @example
   * ```ts
   * import { mmap } from 'mmap-native';
   *
   * const notes = mmap({ backing: 'file', sharing: 'private', file: 'notes.txt' });
   * notes.unmapSync();
   * ```
   */
  unmapSync(): void {
    if (this.#unmapped) return;
    this.#end();
    native.unmap(this.#handle);
  }

  /** `using`: `unmapSync()`; lost writes are a warning, so that no exception hides another. */
  [Symbol.dispose](): void {
    try {
      this.unmapSync();
    } catch (error) {
      if ((error as { code?: unknown }).code !== 'ERR_LOST_WRITES') throw error;
      process.emitWarning(error as Error);
    }
  }

  /** `await using`: `unmap()`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.unmap();
  }

  /** @internal */
  static create(handle: Handle, origin: Origin, offset: number, length: number, pageSize: number): Mapping {
    const mapping = new Mapping(KEY, handle, origin, offset, length, pageSize);
    publishMap(mapping);
    return mapping;
  }

  #writesAnonymous(): boolean {
    return this.backing === 'anonymous' && this.#access === 'readwrite';
  }

  /** @internal For lib/ipc. */
  static handleOf(mapping: Mapping): Handle {
    mapping.#live();
    return mapping.#handle;
  }

  #live(): void {
    if (this.#unmapped) throw invalidState('the mapping is unmapped');
  }

  /** Arguments are read first, then the state is checked: a getter among them may have unmapped. */
  #checked<T>(read: T): T {
    this.#live();
    return read;
  }

  #end(): void {
    this.#faults.end(native.beginUnmap(this.#handle));
    this.#unmapped = true;
    publishUnmap(this, this.#length);
  }
}
