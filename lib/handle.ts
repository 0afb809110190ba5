import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { invalidArgType, invalidArgValue, invalidState, outOfRange } from './errors.js';
import { type Facts, type Handle, native } from './native.js';
import { oneOf, readOptions, rejectUnknown } from './checks.js';
import { type Access, type Sharing } from './options.js';
import { toBytes } from './range.js';

/** How a Mapping came about: what it cannot ask the kernel. */
export interface Origin {
  readonly backing: 'file' | 'anonymous';
  readonly sharing: Sharing;
  readonly access: Access;
  /** The file's path, where it was given by path. */
  readonly path?: string | Uint8Array | undefined;
  readonly label: string | undefined;
}

interface HandleBase {
  /** The version of this form. */
  readonly v: 1;
  /** Names the mapping: 128 random bits in hex. */
  readonly name: string;
  /** The process that wrote the handle. */
  readonly pid: number;
  /** What whoever attaches may do. */
  readonly access: Access;
  /** Bytes of the mapping. */
  readonly length: number;
}

/** What `Mapping.handle()` returns: plain JSON, for `process.send`, `workerData`, the environment or argv. */
export type MappingHandle =
  | (HandleBase & {
      /** Shared anonymous memory, which is opened through /proc/PID/fd. */
      readonly kind: 'memfd';
      /** Its descriptor in the process that wrote the handle. */
      readonly fd: number;
    })
  | (HandleBase & {
      /** Shared anonymous memory whose descriptor a child has inherited. */
      readonly kind: 'inherited';
      /** Its number in the child. */
      readonly fd: number;
    })
  | (HandleBase & {
      /** A file, or named memory. */
      readonly kind: 'file';
      /** Where it is. */
      readonly path: string;
      /** Whose the changes are. */
      readonly sharing: Sharing;
      /** The first byte in the file. */
      readonly offset: number;
      /** Decimal: an inode number can be larger than a JSON number is exact. */
      readonly device: string;
      /** Decimal. With `device` it tells whether the path still leads to the same file. */
      readonly inode: string;
    })
  | (HandleBase & {
      /** Memory of this process alone: for its workers. */
      readonly kind: 'process';
    });

const MAX_FD = 2 ** 31 - 1;

/** The path that the kernel has for a mapping. Undefined where the file has none any more. */
const mappedPath = (address: number): string | undefined => {
  const start = address.toString(16);
  const line = readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .find((text) => text.replace(/^0+/, '').startsWith(`${start}-`));
  const path = /^(?:\S+\s+){5}(\/.*)$/.exec(line ?? '')?.[1]?.replaceAll(String.raw`\012`, '\n');
  return path === undefined || path.endsWith(' (deleted)') ? undefined : path;
};

/** Of the first byte, in hexadecimal. */
export const addressOf = (facts: Facts): string =>
  `0x${(facts.address + (facts.length === 0 ? 0 : facts.offset % facts.pageSize)).toString(16)}`;

/** The JSON for a mapping. */
export const describe = (
  handle: Handle,
  origin: Origin,
  options: { readonly inheritedFd?: number | undefined } | undefined,
): MappingHandle => {
  const { inheritedFd } = readOptions(options, ['inheritedFd']);
  const facts = native.facts(handle);
  const base = {
    v: 1 as const,
    name: native.identify(handle, randomBytes(16).toString('hex')),
    pid: process.pid,
    // of memory that others may only read, a handle asks for no more
    access: facts.peersReadonly ? 'read' : origin.access,
    length: facts.length,
  };
  if (inheritedFd !== undefined) {
    if (typeof inheritedFd !== 'number') throw invalidArgType('options.inheritedFd', 'of type number', inheritedFd);
    if (!Number.isInteger(inheritedFd) || inheritedFd < 0 || inheritedFd > MAX_FD)
      throw outOfRange('options.inheritedFd', `>= 0 && <= ${MAX_FD}`, inheritedFd);
    if (facts.fd < 0) throw invalidState('only joinable shared memory has a descriptor to inherit');
    return { ...base, kind: 'inherited', fd: inheritedFd };
  }
  if (facts.fd >= 0) return { ...base, kind: 'memfd', fd: facts.fd };
  const path = facts.inode === 0n ? undefined : filePath(origin, facts);
  if (path === undefined) return { ...base, kind: 'process' };
  const { device, inode, offset } = facts;
  return { ...base, kind: 'file', path, sharing: origin.sharing, offset, device: `${device}`, inode: `${inode}` };
};

const filePath = (origin: Origin, facts: Facts): string | undefined =>
  typeof origin.path === 'string' ? resolve(origin.path) : mappedPath(facts.address);

const decimal = (value: unknown, name: string): string => {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value))
    throw invalidArgValue(name, 'must be a decimal number in a string', value);
  return value;
};

/** Reads a handle that may come from anywhere, and checks it. */
export const checkHandle = (value: unknown): MappingHandle => {
  if (value === null || typeof value !== 'object') throw invalidArgType('handle', 'of type object', value);
  const given = value as Record<string, unknown>;
  const kind = oneOf(given['kind'], ['memfd', 'inherited', 'file', 'process'] as const, 'handle.kind');
  const { name, pid, path } = given;
  if (typeof name !== 'string' || !/^[\da-f]{32}$/.test(name))
    throw invalidArgValue('handle.name', 'must be 32 hexadecimal digits', name);
  if (typeof pid !== 'number' || !Number.isInteger(pid) || pid <= 0 || pid > MAX_FD)
    throw invalidArgValue('handle.pid', 'must be a process id', pid);
  const base = {
    v: oneOf(given['v'], [1] as const, 'handle.v'),
    name,
    pid,
    access: oneOf(given['access'], ['read', 'readwrite'] as const, 'handle.access'),
    length: toBytes(given['length'], 'handle.length'),
  };
  const common = ['v', 'kind', 'name', 'pid', 'access', 'length'];
  if (kind === 'process') {
    rejectUnknown(value, common, 'handle');
    return { ...base, kind };
  }
  if (kind !== 'file') {
    rejectUnknown(value, [...common, 'fd'], 'handle');
    const fd = toBytes(given['fd'], 'handle.fd');
    if (fd > MAX_FD) throw invalidArgValue('handle.fd', 'must be a descriptor', fd);
    return { ...base, kind, fd };
  }
  rejectUnknown(value, [...common, 'path', 'sharing', 'offset', 'device', 'inode'], 'handle');
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    throw invalidArgValue('handle.path', 'must be a path', path);
  return {
    ...base,
    kind,
    path,
    sharing: oneOf(given['sharing'], ['private', 'shared'] as const, 'handle.sharing'),
    offset: toBytes(given['offset'], 'handle.offset'),
    device: decimal(given['device'], 'handle.device'),
    inode: decimal(given['inode'], 'handle.inode'),
  };
};
