import { closeSync, fstatSync, openSync } from 'node:fs';
import { invalidArgValue, invalidState, missingOption, outOfRange, staleHandle } from './errors.js';
import { type Origin } from './handle.js';
import { type Facts, type Handle, native } from './native.js';
import { type MappableFile, toFile } from './names.js';
import { flag, readOptions } from './checks.js';

/** Options of `resize()`. */
export interface ResizeOptions {
  /** Extend the file, with its blocks allocated (fallocate(2)). Default: false. */
  readonly grow?: boolean | undefined;
  /** The file, opened for writing where `grow` is set; needed to grow a mapping that was made of a descriptor. Default: the path it was made of. */
  readonly file?: MappableFile | undefined;
}

/** Makes sure that the file covers the new length, and calls back with a descriptor of it. */
const withGrownFile = (
  file: string | Uint8Array | number,
  facts: Facts,
  length: number,
  grow: boolean,
  writable: boolean,
  then: (fd: number) => Handle,
): Handle => {
  const fd = typeof file === 'number' ? file : openSync(Buffer.from(file), writable ? 'r+' : 'r');
  try {
    const { dev, ino, size } = fstatSync(fd, { bigint: true });
    if (ino !== facts.inode || dev !== facts.device) throw staleHandle(String(file));
    if (BigInt(facts.offset) + BigInt(length) > size) {
      if (!grow)
        throw outOfRange(
          'length',
          `<= ${size - BigInt(facts.offset)}, where the file ends, or with grow: true`,
          length,
        );
      native.growFile(fd, facts.offset, length);
    }
    return then(fd);
  } finally {
    if (fd !== file) closeSync(fd);
  }
};

/** The mapping under a new length. The old handle has come to its end, unless this throws. */
export const resize = (
  handle: Handle,
  facts: Facts,
  origin: Origin,
  length: number,
  options: ResizeOptions | undefined,
): Handle => {
  const given = readOptions(options, ['grow', 'file']);
  const grow = flag(given['grow'], 'options.grow');
  const file = given['file'] === undefined ? origin.path : toFile(given['file'], 'options.file');
  const writable = origin.sharing === 'shared' && origin.access === 'readwrite';
  if (grow && origin.backing === 'file' && !writable)
    throw invalidArgValue('options.grow', "needs a mapping with sharing: 'shared' and access: 'readwrite'", grow);
  native.checkResizable(handle);
  if (length <= facts.length || (origin.backing === 'anonymous' && origin.sharing === 'private'))
    return native.resize(handle, length, -1);
  if (origin.backing === 'anonymous')
    throw invalidState('the length of shared anonymous memory is fixed when it is made');
  if (file === undefined)
    throw missingOption('options.file', 'this mapping was made of a descriptor, which it did not keep');
  return withGrownFile(file, facts, length, grow, writable, (fd) => native.resize(handle, length, fd));
};
