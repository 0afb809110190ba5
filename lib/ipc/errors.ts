import { inspect } from 'node:util';

/** The codes of `mmap-native/ipc` that `mmap-native` does not have. docs/ipc.md has each with its cause and cure. */
export type IpcErrorCode =
  | 'ERR_CLOSED'
  | 'ERR_CORRUPT'
  | 'ERR_DEADLOCK'
  | 'ERR_MESSAGE_TOO_LARGE'
  | 'ERR_NOT_LOCKED'
  | 'ERR_OWNER_DIED'
  | 'ERR_PEER_DIED'
  | 'ERR_PLACE_TAKEN'
  | 'ERR_TIMEOUT';

type Coded<E extends Error> = E & { code: IpcErrorCode };

const coded = <E extends Error>(error: E, code: IpcErrorCode): Coded<E> => Object.assign(error, { code });

export const timedOut = (what: string, timeout: number): Coded<Error> =>
  coded(new Error(`${what} timed out after ${timeout} ms`), 'ERR_TIMEOUT');

export const ownerDied = (): Coded<Error> =>
  coded(
    new Error('The owner of the Mutex died while it held it: what it guards may be half changed. See Mutex.recover()'),
    'ERR_OWNER_DIED',
  );

export const deadlock = (): Coded<Error> =>
  coded(
    new Error('This thread holds the Mutex already, and would wait for itself: use lock(), which lets others run'),
    'ERR_DEADLOCK',
  );

export const notLocked = (): Coded<Error> => coded(new Error('The Mutex is not held by this guard'), 'ERR_NOT_LOCKED');

export const closed = (what: string): Coded<Error> => coded(new Error(`${what} is closed`), 'ERR_CLOSED');

export const peerDied = (peer: string): Coded<Error> =>
  coded(new Error(`The ${peer} died without closing its end`), 'ERR_PEER_DIED');

export const placeTaken = (what: string): Coded<Error> =>
  coded(new Error(`The queue has ${what} already. See the options producers and consumers`), 'ERR_PLACE_TAKEN');

export const corrupt = (what: string, value: unknown): Coded<Error> =>
  coded(new Error(`The shared memory is not what a peer may leave: ${what} is ${inspect(value)}`), 'ERR_CORRUPT');

export const messageTooLarge = (length: number, most: number): Coded<RangeError> =>
  coded(
    new RangeError(`A message of ${length} bytes cannot be written: the capacity is ${most}`),
    'ERR_MESSAGE_TOO_LARGE',
  );
