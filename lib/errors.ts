import { getSystemErrorMap, inspect } from 'node:util';

/**
 * Every error of the library is made here, in Node's shapes and wording. docs/errors.md has the codes with cause and
 * cure; a test holds the two together.
 */

/** The codes that are not an errno. */
export type ErrorCode =
  | 'ERR_ATTACH_DENIED'
  | 'ERR_BUFFER_TOO_LARGE'
  | 'ERR_DLOPEN_DISABLED'
  | 'ERR_DLOPEN_FAILED'
  | 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM'
  | 'ERR_ILLEGAL_CONSTRUCTOR'
  | 'ERR_INVALID_ARG_TYPE'
  | 'ERR_INVALID_ARG_VALUE'
  | 'ERR_INVALID_STATE'
  | 'ERR_LOST_WRITES'
  | 'ERR_MISSING_OPTION'
  | 'ERR_OUT_OF_RANGE'
  | 'ERR_OWNER_GONE'
  | 'ERR_STALE_HANDLE';

/** An error of a system call, as `node:fs` throws it. */
export interface SystemError extends Error {
  /** The errno, negative. */
  errno: number;
  /** The errno's name: `'EACCES'`. */
  code: string;
  /** The system call that failed. */
  syscall: string;
  /** The file, where one was named. */
  path?: string | Uint8Array;
}

const withCode = <E extends Error>(error: E, code: ErrorCode): E & { code: ErrorCode } =>
  Object.assign(error, { code });

const received = (value: unknown): string => {
  if (value === null || value === undefined) return `Received ${String(value)}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const { constructor } = value;
    return typeof constructor === 'function' && constructor.name !== ''
      ? `Received an instance of ${constructor.name}`
      : `Received ${inspect(value, { depth: -1 })}`;
  }
  return `Received type ${typeof value} (${inspect(value).slice(0, 28)})`;
};

const noun = (name: string): string => (name.includes('.') ? 'property' : 'argument');

export const invalidArgType = (name: string, expected: string, value: unknown): TypeError =>
  withCode(
    new TypeError(`The "${name}" ${noun(name)} must be ${expected}. ${received(value)}`),
    'ERR_INVALID_ARG_TYPE',
  );

export const invalidArgValue = (name: string, reason: string, value: unknown): TypeError =>
  withCode(
    new TypeError(`The ${noun(name)} '${name}' ${reason}. Received ${inspect(value, { depth: 0 })}`),
    'ERR_INVALID_ARG_VALUE',
  );

export const outOfRange = (name: string, range: string, value: unknown): RangeError =>
  withCode(
    new RangeError(`The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`),
    'ERR_OUT_OF_RANGE',
  );

export const missingOption = (name: string, reason: string): TypeError =>
  withCode(new TypeError(`"${name}" is required: ${reason}`), 'ERR_MISSING_OPTION');

export const invalidState = (reason: string): Error =>
  withCode(new Error(`Invalid state: ${reason}`), 'ERR_INVALID_STATE');

export const tooLarge = (length: number, largest: number): RangeError =>
  withCode(
    new RangeError(
      `Cannot create one ArrayBuffer of ${length} bytes: the largest of this runtime has ${largest}. ` +
        `Use view() for a window, or read()`,
    ),
    'ERR_BUFFER_TOO_LARGE',
  );

export const unavailable = (what: string, instead: string): Error =>
  withCode(new Error(`${what} is not available here. ${instead}`), 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM');

export const illegalConstructor = (name: string, instead: string): TypeError =>
  withCode(new TypeError(`Illegal constructor: ${name} is made by ${instead}`), 'ERR_ILLEGAL_CONSTRUCTOR');

export const staleHandle = (path: string): Error =>
  withCode(
    new Error(`The handle is stale: what it names is no longer at '${path}'. Ask its owner for a new handle`),
    'ERR_STALE_HANDLE',
  );

export const ownerGone = (what: string): Error =>
  withCode(
    new Error(
      `${what}: it ended, or unmapped the memory, or this process has another pid namespace. ` +
        'Across namespaces pass the descriptor: handle({ inheritedFd })',
    ),
    'ERR_OWNER_GONE',
  );

export const attachDenied = (path: string): Error =>
  withCode(
    new Error(
      `Not permitted to open '${path}': its process has another user, or is not dumpable (it changed its user id). ` +
        'Pass the descriptor instead: handle({ inheritedFd })',
    ),
    'ERR_ATTACH_DENIED',
  );

/** Of the binary; the runtime's own code is kept where there is one. */
export const notLoaded = (reason: string, wayOut: string, cause?: unknown): Error => {
  const { code = 'ERR_DLOPEN_FAILED' } = (cause ?? {}) as { code?: ErrorCode };
  return withCode(new Error(`mmap-native cannot load its binary: ${reason}. ${wayOut}`, { cause }), code);
};

/** What mmap, msync and fallocate answer and libuv has no words for. */
const UNKNOWN_TO_LIBUV: Readonly<Record<number, [code: string, text: string]>> = {
  [-116]: ['ESTALE', 'stale file handle'],
  [-122]: ['EDQUOT', 'disk quota exceeded'],
  [-133]: ['EHWPOISON', 'memory page has hardware error'],
};

export const systemError = (errno: number, syscall: string, detail = '', path?: string | Uint8Array): SystemError => {
  const [code, text] = getSystemErrorMap().get(errno) ?? UNKNOWN_TO_LIBUV[errno] ?? [`E${-errno}`, 'unknown error'];
  const named =
    typeof path === 'string' ? ` '${path}'` : path === undefined ? '' : ` '${Buffer.from(path).toString()}'`;
  const error = new Error(`${code}: ${text}, ${syscall}${named}${detail === '' ? '' : `. ${detail}`}`);
  return Object.assign(error, { errno, code, syscall }, path === undefined ? {} : { path });
};

/** Puts the kernel's name of a flag or an advice into the error of a system call. */
export const withName = (error: unknown, name: string): unknown => {
  if (error instanceof Error && 'errno' in error) error.message += ` '${name}'`;
  return error;
};

/** What native code could not say with an errno alone: core/result.h has the same words. */
type Reason =
  | 'attached'
  | 'buffer-refused'
  | 'busy'
  | 'lost-writes'
  | 'locked'
  | 'map-limit'
  | 'no-external-buffers'
  | 'no-file'
  | 'no-size'
  | 'not-sealed'
  | 'past-end'
  | 'range'
  | 'replaced'
  | 'split'
  | 'stale-handle'
  | 'unmapped';

type File = string | Uint8Array | number | undefined;

const REASONS: Record<Reason, (value: number, errno: number, syscall: string, file: File) => Error> = {
  attached: (_value, errno, syscall) =>
    systemError(errno, syscall, 'Others have attached to this mapping, and their views cannot move'),
  'buffer-refused': (_value, errno) => systemError(errno, 'napi_create_external_arraybuffer'),
  busy: (_value, errno, syscall) =>
    systemError(errno, syscall, 'An operation on this mapping is in flight: await it first'),
  'lost-writes': (offset) =>
    Object.assign(
      withCode(
        new Error(
          `Bytes that were written are in no file, the first of them in the page at byte ${offset}: the disk was full, or ` +
            'the file had been cut. See mapping.faults, and refresh() to write them back',
        ),
        'ERR_LOST_WRITES',
      ),
      { offset },
    ),
  locked: (_value, errno, syscall) =>
    systemError(errno, syscall, 'A Mutex in this memory is held here: unlock it first'),
  'map-limit': (limit, errno, syscall) =>
    systemError(
      errno,
      syscall,
      `This process is close to its limit of ${limit} memory areas (vm.max_map_count). Unmap what is no longer needed, ` +
        'and let the event loop turn so that what was dropped can be given back',
    ),
  'no-external-buffers': () =>
    unavailable('An ArrayBuffer over mapped memory', 'This runtime forbids them: use read(), write() and text()'),
  'no-file': () => invalidState('there is no descriptor of the file to look at'),
  'no-size': (_value, _errno, _syscall, file) =>
    missingOption('options.length', `${inspect(file)} is a device, which has no size of its own`),
  'not-sealed': (_value, errno, syscall) =>
    systemError(errno, syscall, 'The memory is not sealed against shrinking: a peer could cut it away'),
  'past-end': (size) =>
    withCode(
      new RangeError(
        `The value of "options.offset" + "options.length" is out of range. What is to be mapped ends at byte ${size}: ` +
          'map less of it; a file can be made longer, with grow: true',
      ),
      'ERR_OUT_OF_RANGE',
    ),
  range: (length) => withCode(new RangeError(`The range is outside the mapping's ${length} bytes`), 'ERR_OUT_OF_RANGE'),
  replaced: (_value, errno, syscall) =>
    systemError(errno, syscall, 'Pages of this mapping were replaced after faults: refresh() first'),
  split: (_value, errno, syscall) =>
    systemError(
      errno,
      syscall,
      'Parts of the mapping were given another access, advice or lock: make them alike first',
    ),
  'stale-handle': (_value, _errno, _syscall, file) =>
    staleHandle(typeof file === 'number' ? `descriptor ${file}` : String(file)),
  unmapped: () => invalidState('the mapping is unmapped'),
};

/** Called by native code for each of its failures. */
export const fromNative = (
  errno: number,
  syscall: string | undefined,
  reason: string | undefined,
  value: number,
  file: File,
): Error => {
  const call = syscall ?? '';
  if (reason !== undefined) return REASONS[reason as Reason](value, errno, call, file);
  return systemError(errno, call, '', typeof file === 'number' ? undefined : file);
};
