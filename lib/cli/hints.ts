import { constants } from 'node:buffer';
import { bytes } from './format.js';

/** What hints are made of. Bytes. */
export interface FileFacts {
  readonly size: number;
  readonly allocated: number;
  /** 0 to 1; undefined where the kernel does not tell. */
  readonly resident: number | undefined;
  readonly memoryAvailable: number;
  readonly network: boolean;
}

/** What to try, and why. */
export interface Hint {
  readonly hint: string;
  readonly why: string;
}

const SMALL = 64 * 1024;
const HEAVY = 64 * 2 ** 20;

/** Rules of thumb that docs/choosing.md has the measurements for. */
export const hintsFor = ({ size, allocated, resident, memoryAvailable, network }: FileFacts): Hint[] => {
  const hints: Hint[] = [];
  const add = (hint: string, why: string): number => hints.push({ hint, why });
  if (size <= SMALL) {
    add('fs.readFile', 'to map, touch and unmap a file this small takes longer than to read it');
  } else if (resident !== undefined && resident > 0.95) {
    add('no advice', 'it is in memory: small reads all over it are what a mapping is best at');
  } else if (size <= memoryAvailable / 2) {
    add("advice: 'willneed', or populate()", 'it fits into memory: read it ahead of the first use, in one go');
    add("advice: 'random'", 'if only few, scattered bytes of it are used: nothing is read ahead');
  } else {
    add("advice: 'random'", `it does not fit into the ${bytes(memoryAvailable)} of memory that are free`);
    add('a stream or fs.read', 'to go through it once from front to back');
  }
  if (size > constants.MAX_LENGTH)
    add('view() of windows', `an ArrayBuffer of this runtime has at most ${bytes(constants.MAX_LENGTH)}`);
  else if (size >= HEAVY)
    add('view() of what is used, or sharedView()', 'the garbage collector counts all that `bytes` covers');
  if (allocated < size * 0.9)
    add('grow: true or populate({ write: true }) before writing', 'it has holes, and a full disk would be a fault');
  if (network) add("on('fault', …), or read()", 'a page of a network file system may become unreadable at any time');
  return hints;
};
