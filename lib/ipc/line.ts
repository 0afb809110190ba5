import { type Limits } from './options.js';
import { pause } from './pause.js';

/** Those of one thread who want the same thing, one after the other, in the order in which they came. */
export class Line {
  readonly #waiting: (() => void)[] = [];
  #busy = false;

  /** Whether somebody's turn has begun and not ended. */
  get busy(): boolean {
    return this.#busy;
  }

  /** True when it is the caller's turn, which ends with `leave()`; false when the time is over. */
  enter(limits: Limits): boolean | Promise<boolean> {
    if (this.#busy) return this.#wait(limits);
    this.#busy = true;
    return true;
  }

  leave(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy = false;
    else next();
  }

  #wait(limits: Limits): Promise<boolean> {
    return pause(limits, false, ({ resolve }) => {
      const onTurn = (): void => {
        resolve(true);
      };
      this.#waiting.push(onTurn);
      return () => {
        this.#waiting.splice(this.#waiting.indexOf(onTurn), 1);
        return true;
      };
    });
  }
}
