import { type WaitOptions } from './options.js';

/** Those of one thread who want the same thing, one after the other, in the order in which they came. */
export class Line {
  readonly #waiting: (() => void)[] = [];
  #busy = false;

  /** Whether somebody's turn has begun and not ended. */
  get busy(): boolean {
    return this.#busy;
  }

  /** True when it is the caller's turn, which ends with `leave()`; false when the time is over. */
  enter(options: Required<Pick<WaitOptions, 'timeout'>> & WaitOptions): boolean | Promise<boolean> {
    if (this.#busy) return this.#wait(options);
    this.#busy = true;
    return true;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }

  #wait({ timeout = Infinity, signal }: WaitOptions): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        const place = this.#waiting.indexOf(onTurn);
        if (place >= 0) this.#waiting.splice(place, 1);
        settle();
      };
      const onTurn = (): void => end(() => resolve(true));
      const onAbort = (): void => end(() => reject(signal?.reason as Error));
      this.#waiting.push(onTurn);
      signal?.addEventListener('abort', onAbort);
      if (timeout !== Infinity) timer = setTimeout(() => end(() => resolve(false)), timeout);
    });
  }
}
