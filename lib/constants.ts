/** Kernel constants, in the kernel's own spelling. The same on x86-64 and arm64. */

export const PROT_READ = 0x1;
export const PROT_WRITE = 0x2;

export const MAP_SHARED = 0x01;
export const MAP_PRIVATE = 0x02;
export const MAP_ANONYMOUS = 0x20;
export const MAP_NORESERVE = 0x4000;
export const MAP_POPULATE = 0x8000;
export const MAP_HUGETLB = 0x40000;

export const MS_INVALIDATE = 2;
export const MS_SYNC = 4;

export const MLOCK_ONFAULT = 1;

export const MADV_POPULATE_READ = 22;
export const MADV_POPULATE_WRITE = 23;

/** What an advice does to bytes that are nowhere else: nothing, or it throws them away. */
type Loss = 'none' | 'private' | 'always';

interface AdviceRow {
  readonly value: number;
  readonly discards: Loss;
}

/** An advice of madvise(2), as the lower-case stem of its name: `'willneed'` is `MADV_WILLNEED`. */
export type Advice =
  | 'normal'
  | 'random'
  | 'sequential'
  | 'willneed'
  | 'dontneed'
  | 'free'
  | 'remove'
  | 'dontfork'
  | 'dofork'
  | 'mergeable'
  | 'unmergeable'
  | 'hugepage'
  | 'nohugepage'
  | 'dontdump'
  | 'dodump'
  | 'wipeonfork'
  | 'keeponfork'
  | 'cold'
  | 'pageout'
  | 'collapse';

/**
 * madvise(2). Left out: what ends the process on access (`guard_install`), what only a test of the kernel wants
 * (`hwpoison`, `soft_offline`), and `populate_read`/`populate_write`, which are `populate()`.
 */
export const ADVICE: Readonly<Record<Advice, AdviceRow>> = {
  normal: { value: 0, discards: 'none' },
  random: { value: 1, discards: 'none' },
  sequential: { value: 2, discards: 'none' },
  willneed: { value: 3, discards: 'none' },
  dontneed: { value: 4, discards: 'private' },
  free: { value: 8, discards: 'always' },
  remove: { value: 9, discards: 'always' },
  dontfork: { value: 10, discards: 'none' },
  dofork: { value: 11, discards: 'none' },
  mergeable: { value: 12, discards: 'none' },
  unmergeable: { value: 13, discards: 'none' },
  hugepage: { value: 14, discards: 'none' },
  nohugepage: { value: 15, discards: 'none' },
  dontdump: { value: 16, discards: 'none' },
  dodump: { value: 17, discards: 'none' },
  wipeonfork: { value: 18, discards: 'none' },
  keeponfork: { value: 19, discards: 'none' },
  cold: { value: 20, discards: 'none' },
  pageout: { value: 21, discards: 'none' },
  collapse: { value: 25, discards: 'none' },
};
