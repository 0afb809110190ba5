import { invalidArgType, invalidArgValue } from '../errors.js';
import { Mapping } from '../mapping.js';
import { toBytes } from '../range.js';

/** Bytes of a lock: a word, and the room that the kernel's list wants beside it. */
export const LOCK_BYTES = 8;

/** The words of a lock, after a look at where it is to lie. */
export const checkPlace = (mapping: unknown, byteOffset: unknown): { words: Int32Array; offset: number } => {
  if (!(mapping instanceof Mapping)) throw invalidArgType('mapping', 'an instance of Mapping', mapping);
  const offset = toBytes(byteOffset, 'byteOffset');
  if ((mapping.offset + offset) % LOCK_BYTES !== 0)
    throw invalidArgValue('byteOffset', `must lie on a multiple of ${LOCK_BYTES} bytes in memory`, byteOffset);
  if (mapping.sharing !== 'shared') throw invalidArgValue('mapping', "must have sharing: 'shared'", mapping);
  if (mapping.access !== 'readwrite') throw invalidArgValue('mapping', "must have access: 'readwrite'", mapping);
  return { words: mapping.view(Int32Array, offset, LOCK_BYTES), offset };
};
