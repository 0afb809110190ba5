import { mmap } from './mmap.js';
import { flag, readOptions } from './checks.js';
import { toBytes } from './range.js';

/** Options of `allocZeroed()`. */
export interface AllocZeroedOptions {
  /** MADV_HUGEPAGE: ask for transparent huge pages. Default: false. */
  readonly hugePages?: boolean | undefined;
  /** MAP_POPULATE: make every page now. Default: false. */
  readonly populate?: boolean | undefined;
  /** MAP_NORESERVE: do not set swap space aside. Default: false. */
  readonly noReserve?: boolean | undefined;
}

/**
 * A zero-filled Buffer straight from the kernel: private anonymous memory, mmap(2), given back by the garbage collector. A page
 * costs memory from its first touch on.
 *
 * @param length - bytes, from 0 to the largest Buffer of the runtime. The kernel gives whole pages.
 * @param options - all false by default.
 * @throws ENOMEM; ERR_OUT_OF_RANGE, ERR_INVALID_ARG_TYPE for `length`; ERR_INVALID_ARG_VALUE for an unknown option;
 * ERR_BUFFER_TOO_LARGE.
 *
 * @example
 * ```ts
 * import { allocZeroed } from 'mmap-native';
 *
 * const scratch = allocZeroed(2 ** 26, { hugePages: true });
 * console.log(scratch.length, scratch[12_345]); // 67108864 0
 * ```
 */
export const allocZeroed = (length: number | bigint, options?: AllocZeroedOptions): Buffer => {
  const bytes = toBytes(length, 'length');
  const given = readOptions(options, ['hugePages', 'populate', 'noReserve']);
  const hugePages = flag(given['hugePages'], 'options.hugePages');
  const populate = flag(given['populate'], 'options.populate');
  const noReserve = flag(given['noReserve'], 'options.noReserve');
  return mmap({ backing: 'anonymous', sharing: 'private', length: bytes, hugePages, populate, noReserve }).bytes;
};
