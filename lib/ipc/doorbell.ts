import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { type Doorbell, native } from '../native.js';
import { ARMED, DOOR_FD, DOOR_INODE, DOOR_PID, UNHEARD } from './layout.js';

/**
 * A doorbell is a pipe that the event loop listens to, one for each thread. It is faster than a helper, which would have to wake
 * the event loop in turn; where it cannot be had, or not be reached from the other side, the helper does it.
 */

interface Own {
  readonly fd: number;
  readonly inode: number;
}

const listeners = new Set<() => void>();
const heard = (): true => {
  for (const listener of listeners) listener();
  return true;
};

/** Not made yet: undefined. Not to be had here: null. */
let own: Own | null | undefined;

const make = (): Own | null => {
  // its net.Socket reads no pipe that it is given by number
  if ('bun' in process.versions) return null;
  try {
    const [readFd, fd, inode] = native.ipc.makeDoorbell();
    const onread: OnReadOpts = { buffer: Buffer.alloc(64), callback: heard };
    const options: SocketConstructorOpts & { onread: OnReadOpts } = {
      fd: readFd,
      readable: true,
      writable: false,
      onread,
    };
    // whoever waits keeps the event loop running, and nobody else
    new Socket(options).on('error', () => (own = null)).unref();
    return { fd, inode };
  } catch {
    return null;
  }
};

/** Says at a place of a queue where to knock. False when there is no doorbell. */
export const hangOut = (words: Int32Array, place: number): boolean => {
  own ??= make();
  if (own === null) return false;
  Atomics.store(words, place + DOOR_PID, process.pid);
  Atomics.store(words, place + DOOR_FD, own.fd);
  Atomics.store(words, place + DOOR_INODE, own.inode | 0);
  Atomics.store(words, place + DOOR_INODE + 1, Math.floor(own.inode / 2 ** 32));
  return true;
};

/** Calls `listener` at each knock, whoever is meant. */
export const listen = (listener: () => void): void => {
  listeners.add(listener);
};

export const unlisten = (listener: () => void): void => {
  listeners.delete(listener);
};

interface Known {
  readonly pid: number;
  readonly fd: number;
  readonly inode: number;
  readonly doorbell: Doorbell | undefined;
}

/** Knocks for one end of a queue, at those of the others who want it. */
export class Knocker {
  readonly #words: Int32Array;
  readonly #places: readonly number[];
  readonly #known = new Map<number, Known>();

  constructor(words: Int32Array, places: readonly number[]) {
    this.#words = words;
    this.#places = places;
  }

  knock(): void {
    const words = this.#words;
    for (const place of this.#places) {
      if (Atomics.load(words, place + ARMED) !== 1 || Atomics.exchange(words, place + ARMED, 0) !== 1) continue;
      const doorbell = this.#find(place);
      if (doorbell !== undefined && native.ipc.knock(doorbell)) continue;
      this.#known.delete(place);
      Atomics.add(words, place + UNHEARD, 1);
      native.ipc.wake(words, place + UNHEARD, 1);
    }
  }

  #find(place: number): Doorbell | undefined {
    const words = this.#words;
    const pid = Atomics.load(words, place + DOOR_PID);
    const fd = Atomics.load(words, place + DOOR_FD);
    const inode =
      (Atomics.load(words, place + DOOR_INODE) >>> 0) +
      (Atomics.load(words, place + DOOR_INODE + 1) & 0xfffff) * 2 ** 32;
    const before = this.#known.get(place);
    if (before?.pid === pid && before.fd === fd && before.inode === inode) return before.doorbell;
    const doorbell = native.ipc.openDoorbell(pid, fd, inode);
    this.#known.set(place, { pid, fd, inode, doorbell });
    return doorbell;
  }
}
