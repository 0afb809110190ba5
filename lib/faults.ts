import { EventEmitter } from 'node:events';
import { type FaultNews, type FaultRecord, native } from './native.js';

/** Called with what happened in a mapping since it was last called. */
export type FaultListener = (faults: readonly FaultRecord[]) => void;

const watched = new Map<number, WeakRef<EventEmitter>>();
const forgotten = new FinalizationRegistry<number>((id) => watched.delete(id));
let lastId = 0;
let warned = false;

/** An id for native code, under which the emitter hears of faults for as long as it lives. */
export const watch = (emitter: EventEmitter): number => {
  lastId += 1;
  watched.set(lastId, new WeakRef(emitter));
  forgotten.register(emitter, lastId);
  return lastId;
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
    const heard = watched.get(id)?.deref()?.emit('fault', faults) ?? false;
    if (!heard) warn(faults);
  }
});

let words: Uint32Array | undefined;

/** The counters that guarded mappings count their faults in, readable without a native call. */
export const faultWords = (): Uint32Array => {
  words ??= new Uint32Array(native.faultWords() ?? new ArrayBuffer(0));
  return words;
};
