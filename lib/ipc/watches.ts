import { systemError, invalidArgValue } from '../errors.js';
import { native } from '../native.js';

/**
 * Watches of words by the helper threads. A watch fires once, when its word is woken or has another value; it may also fire
 * for nothing, so whoever is told looks again.
 */

type Fire = (error?: Error) => void;

const fires = new Map<number, Fire>();
let pending = 0;

native.ipc.onFired((id, errno) => {
  const fire = fires.get(id);
  fires.delete(id);
  fire?.(errno === 0 ? undefined : systemError(errno, 'futex_waitv'));
});

export const notShared = (view: unknown): TypeError =>
  invalidArgValue('view', "must be an Int32Array over a mapping with sharing: 'shared'", view);

/** Calls `fire` once when the word has another value than `expected`, or is woken. */
export const watch = (view: Int32Array, index: number, expected: number, fire: Fire): number => {
  const id = native.ipc.watch(view, index, expected);
  if (id < 0) throw notShared(view);
  fires.set(id, fire);
  return id;
};

/** False where the watch has fired, and `fire` is about to be called. */
export const unwatch = (id: number): boolean => native.ipc.unwatch(id) && fires.delete(id);

/** The event loop runs while somebody waits: each `awaken` wants a `rest`. */
export const awaken = (): void => {
  if (pending++ === 0) native.ipc.keepAlive(true);
};

export const rest = (): void => {
  if (--pending === 0) native.ipc.keepAlive(false);
};
