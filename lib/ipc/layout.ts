/**
 * A queue in memory: one head, then the ring, whose pages are mapped twice, one after the other, so that every frame is in one piece.
 * All numbers here are indexes of 32-bit words; what different processes write lies 128 bytes apart.
 */

/** 'mmq' and the version of this layout. */
export const MAGIC = 0x6d6d7101;
export const HEAD_BYTES = 4096;

export const IDENTITY = 0;
export const CAPACITY = 1;
export const SHAPE = 2;
/** How far producers have written, and consumers have read: counts of bytes, modulo 2^32. */
export const TAIL = 32;
export const HEAD = 96;
/** Bells: lib/ipc/bell.ts. */
export const CONSUMER_BELL = 64;
export const PRODUCER_BELL = 128;
export const PRODUCER_LOCK = 192;
export const CONSUMER_LOCK = 224;

/** Places for the two kinds of ends, each with who is there: lib/ipc/presence.ts. */
export const PLACES = 24;
export const PLACE_WORDS = 16;
export const PRODUCER_PLACES = 256;
export const CONSUMER_PLACES: number = PRODUCER_PLACES + PLACES * PLACE_WORDS;

export const LEFT = 2;
/** Whether its owner wants a knock at its doorbell, and where that is: lib/ipc/doorbell.ts. */
export const ARMED = 3;
export const DOOR_PID = 4;
export const DOOR_FD = 5;
export const DOOR_INODE = 6;
/** Counts knocks that did not get through. */
export const UNHEARD = 8;

/** A frame is a head with its length in the first four bytes, and the message, filled up to a multiple of 8. */
export const FRAME_HEAD = 8;

export const frameBytes = (length: number): number => FRAME_HEAD + ((length + 7) & ~7);

/** Of a ring: a power of two, so that positions that overflow go on as they should. */
export const MOST_RING_BYTES: number = 2 ** 30;
