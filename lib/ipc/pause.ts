import { type Limits, LONGEST_TIMER } from './options.js';

/** Ends a pause, by a value or an error. */
export interface Settle<T> {
  readonly resolve: (value: T) => void;
  readonly reject: (error: Error) => void;
}

/**
 * A promise that `begin` ends, or the time, or the signal. `begin` returns how to call it off, which says false when it is too late for
 * that: then the pause is about to be ended.
 */
export const pause = <T>(
  { timeout, signal }: Limits,
  overdue: T,
  begin: (settle: Settle<T>) => () => boolean,
): Promise<T> =>
  new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    let ended = false;
    const end = (): void => {
      ended = true;
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    let callOff: (() => boolean) | undefined;
    const onAbort = (): void => {
      if (!callOff?.()) return;
      end();
      reject(signal?.reason as Error);
    };
    callOff = begin({
      resolve(value) {
        end();
        resolve(value);
      },
      reject(error) {
        end();
        reject(error);
      },
    });
    if (ended) return;
    signal?.addEventListener('abort', onAbort);
    if (timeout > LONGEST_TIMER) return;
    timer = setTimeout(() => {
      if (!callOff?.()) return;
      end();
      resolve(overdue);
    }, timeout);
  });
