import { type FileHandle } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { types } from 'node:util';
import { invalidArgType, invalidArgValue, outOfRange } from './errors.js';

/** A path, or something that is open already. A descriptor is never closed, and may be closed at once. */
export type MappableFile = string | Uint8Array | URL | number | FileHandle;

const MAX_FD = 2 ** 31 - 1;
const FILE_KINDS = 'of type string, number or an instance of Buffer, Uint8Array, URL or FileHandle';

/** Of any realm, and of any implementation, as in node:fs. */
const isUrl = (value: unknown): value is URL =>
  typeof value === 'object' && value !== null && 'href' in value && 'protocol' in value;

/** What native code opens or takes: the path as it is, or a descriptor. */
export const toFile = (file: unknown, name: string): string | Uint8Array | number => {
  if (typeof file === 'number') {
    if (!Number.isInteger(file) || file < 0 || file > MAX_FD) throw outOfRange(name, `>= 0 && <= ${MAX_FD}`, file);
    return file;
  }
  if (isUrl(file)) return toFile(fileURLToPath(file.href), name);
  if (typeof file === 'string' || types.isUint8Array(file)) {
    if (file.length === 0) throw invalidArgValue(name, 'must not be empty', file);
    const hasNul = typeof file === 'string' ? file.includes('\0') : file.includes(0);
    if (hasNul) throw invalidArgValue(name, 'must be a path without null bytes', file);
    return file;
  }
  // a FileHandle is known by what it has: node:fs/promises does not export the class
  const fd = typeof file === 'object' && file !== null ? (file as { fd?: unknown }).fd : undefined;
  if (typeof fd !== 'number') throw invalidArgType(name, FILE_KINDS, file);
  if (fd < 0) throw invalidArgValue(name, 'must be a FileHandle that is open', file);
  return toFile(fd, name);
};

/** Where named memory is, as shm_open(3) has it: `'/x'` is the file `x` in /dev/shm. */
export const sharedMemoryPath = (name: unknown, what: string): string => {
  if (typeof name !== 'string') throw invalidArgType(what, 'of type string', name);
  if (!/^\/[^/\0]{1,255}$/.test(name) || name === '/.' || name === '/..' || Buffer.byteLength(name) > 256)
    throw invalidArgValue(what, "must be '/' and a name of up to 255 bytes without another '/'", name);
  return `/dev/shm${name}`;
};

/** src/core/region.h, kLabelLength. */
const LABEL_LENGTH = 63;

/** What people call a mapping. */
export const toLabel = (value: unknown, name: string): string | undefined => {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') throw invalidArgType(name, 'of type string', value);
  if (value === '' || value.includes('\0') || Buffer.byteLength(value) > LABEL_LENGTH)
    throw invalidArgValue(name, `must be 1 to ${LABEL_LENGTH} bytes of text`, value);
  return value;
};
