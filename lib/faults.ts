import { EventEmitter } from 'node:events';
import { oneOf, readOptions } from './checks.js';
import { faultsArePublished, publishFaults } from './diagnostics.js';
import type { Mapping } from './mapping.js';
import { type FaultNews, type FaultRecord, type Handle, LOST_WRITES, type LostWritesCode, native } from './native.js';

/** Options of `refresh()`. */
export interface RefreshOptions {
  /**
   * What becomes of bytes that were written and are in no file: `'write-back'` writes their pages to the file, `'return'` hands them back and
   * `'discard'` drops them. Default: none of these, and ERR_LOST_WRITES where there are any.
   */
  readonly lostWrites?: 'write-back' | 'return' | 'discard' | undefined;
}

/** What `verify()` found. */
export interface Verdict {
  /** Bytes in the file now. */
  readonly fileSize: number;
  /** Whether the file reaches to the end of the mapping. */
  readonly covered: boolean;
  /** Pages with bytes that were written and are in no file. */
  readonly lostPages: number;
}

/** Called after faults with the records of the mapping as they are now: `mapping.faults`. */
export type FaultListener = (faults: readonly FaultRecord[]) => void;

const watched = new Map<number, WeakRef<Faults>>();
const forgotten = new FinalizationRegistry<number>((id) => watched.delete(id));
let lastId = 0;
let warned = false;

/** From now on it hears of faults, for as long as it lives, under an id for native code. */
const watch = (faults: Faults, handle: Handle): void => {
  lastId += 1;
  watched.set(lastId, new WeakRef(faults));
  forgotten.register(faults, lastId);
  native.watchFaults(handle, lastId);
};

const describe = (faults: readonly FaultRecord[]): string =>
  faults.map(({ kind, pages, first }) => `${kind} (${pages} pages, the first at byte ${first})`).join(', ');

/** Says once in a process what nobody listens to: a fault is never silent. */
const warn = (faults: readonly FaultRecord[]): void => {
  if (warned) return;
  warned = true;
  process.emitWarning(
    `A mapping met faults: ${describe(faults)}. Listen with mapping.on('fault', …), and see docs/safety.md`,
    { type: 'MmapFaultWarning', code: 'MMAP_FAULT' },
  );
};

native.listenForFaults((news: readonly FaultNews[]) => {
  for (const { watch: id, faults } of news) {
    const known = watched.get(id)?.deref();
    const published = faultsArePublished();
    publishFaults(known?.mapping, faults);
    const heard = known?.emit(faults) ?? false;
    if (!heard && !published) warn(faults);
  }
});

let words: Uint32Array | undefined;

/** Where every mapping's faults are counted; undefined where the runtime allows no buffer over memory of others. */
const mapWords = (): Uint32Array | undefined => {
  try {
    return new Uint32Array(native.faultWords() ?? new ArrayBuffer(0));
  } catch (error) {
    if ((error as { code?: unknown }).code !== 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM') throw error;
    return undefined;
  }
};

/** The faults of one Mapping. */
export class Faults {
  readonly mapping: Mapping;
  #handle: Handle;
  #word = -1;
  #before = 0;
  #final = 0;
  #ended = false;
  #last: readonly FaultRecord[] = [];
  #watched = false;
  #emitter: EventEmitter | undefined;

  constructor(handle: Handle, mapping: Mapping) {
    this.#handle = handle;
    this.mapping = mapping;
    if (faultsArePublished()) this.#watch();
  }

  records(): readonly FaultRecord[] {
    const now = native.faults(this.#handle);
    return now.length > 0 ? now : this.#last;
  }

  /** Read in place, from the word that the handler counts in. */
  count(): number {
    if (this.#word < 0 || this.#ended) this.#word = native.faultWord(this.#handle);
    if (this.#word < 0) return Math.max(this.#before, this.#final);
    words ??= mapWords();
    if (words !== undefined) return this.#before + Atomics.load(words, this.#word);
    return native.faults(this.#handle).reduce((sum, { pages }) => sum + pages, this.#before);
  }

  /** The mapping has moved: the count goes on under a new handle. */
  moveTo(handle: Handle): void {
    this.#before = this.count();
    this.#last = this.records();
    this.#word = -1;
    this.#handle = handle;
    if (this.#watched) watch(this, handle);
  }

  /** The mapping is about to end with so many: its word will be another's as soon as nobody can reach its memory any more. */
  end(count: number): void {
    this.#final = this.#before + count;
    if (this.#final > 0) this.#last = this.records();
    this.#ended = true;
  }

  on(listener: FaultListener): void {
    this.#emitter ??= new EventEmitter();
    if (!this.#watched) this.#watch();
    this.#emitter.on('fault', listener);
  }

  off(listener: FaultListener): void {
    this.#emitter?.off('fault', listener);
  }

  /** Whether anybody listens. */
  emit(faults: readonly FaultRecord[]): boolean {
    return this.#emitter?.emit('fault', faults) ?? false;
  }

  #watch(): void {
    this.#watched = true;
    watch(this, this.#handle);
  }
}

export const readRefresh = (options: RefreshOptions | undefined): LostWritesCode => {
  const { lostWrites } = readOptions(options, ['lostWrites']);
  if (lostWrites === undefined) return LOST_WRITES.refuse;
  return LOST_WRITES[oneOf(lostWrites, ['write-back', 'return', 'discard'], 'options.lostWrites')];
};
