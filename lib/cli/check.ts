import { readFileSync } from 'node:fs';

/** What doctor says of one thing. */
export interface Check {
  readonly name: string;
  /** `'lack'`: something is missing that the library does without; `'broken'`: it cannot do without. */
  readonly state: 'ok' | 'lack' | 'broken';
  readonly found: string;
  /** What to do about it. */
  readonly todo?: string;
}

export const ok = (name: string, found: string): Check => ({ name, state: 'ok', found });

/** `'ok'` if it is there; otherwise what to do. */
export const check = (name: string, there: boolean, found: string, todo: string): Check =>
  there ? ok(name, found) : { name, state: 'lack', found, todo };

/** A file of /proc or /sys, without the end of its last line; undefined where it is not to be had. */
export const readText = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
};
