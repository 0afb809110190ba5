import { type CheckedRange } from './range.js';

/** What the kernel has in memory of a range: mincore(2). */
export interface Residency {
  /** Bytes of one page, and so of one bit. */
  readonly pageSize: number;
  /** How many pages the range touches. */
  readonly pages: number;
  /** How many of them are in memory. */
  readonly resident: number;
  /** `resident / pages`; 1 for an empty range. */
  readonly ratio: number;
  /** A bit for each page, the lowest bit of the first byte first. */
  readonly bitmap: Uint8Array;
}

/** Reads the bits of native code; `lead` is where in its first page the mapping begins. */
export const readResidency = (bits: ArrayBuffer, range: CheckedRange, lead: number, pageSize: number): Residency => {
  const pages = range.length === 0 ? 0 : Math.ceil((((lead + range.offset) % pageSize) + range.length) / pageSize);
  const bitmap = new Uint8Array(bits);
  let resident = 0;
  for (const byte of bitmap) for (let rest = byte; rest !== 0; rest &= rest - 1) resident++;
  return { pageSize, pages, resident, ratio: pages === 0 ? 1 : resident / pages, bitmap };
};
