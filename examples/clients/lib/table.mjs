import { Mutex } from 'mmap-native/ipc';

// The memory: a lock, the sum of all counts, then the slots. A slot has a count, the length of its word, and the word.
const SUM = Mutex.BYTES;
const SLOTS = 64;
const SLOT = 32;
const COUNT = 0;
const LENGTH = 4;
const WORD = 8;
const LONGEST = SLOT - WORD;

const hash = (word) => {
  let value = 0x811c9dc5;
  for (let i = 0; i < word.length; i++) value = Math.imul(value ^ word.charCodeAt(i), 0x01000193);
  return value >>> 0;
};

/** Counts words, in memory that several processes share: a hash table with open addressing, of ASCII words. */
export class Table {
  static bytesFor(words) {
    return SLOTS + words * SLOT;
  }

  #memory;
  #lock;
  #places;
  repairs = 0;

  constructor(mapping) {
    this.#memory = mapping.view(Buffer);
    this.#places = Math.floor((mapping.length - SLOTS) / SLOT);
    this.#lock = new Mutex(mapping, 0, { recover: () => this.#repair() });
  }

  /** Runs `change` while nobody else can change or look. */
  exclusively(change) {
    const guard = this.#lock.lockSync();
    try {
      return change();
    } finally {
      guard.unlock();
    }
  }

  /** Adds one for each word. */
  add(words) {
    this.exclusively(() => {
      for (const word of words) {
        this.countOnly(word);
        this.#memory.writeDoubleLE(this.sum + 1, SUM);
      }
    });
  }

  /** Half of an addition: the sum is wrong until it is told, too. */
  countOnly(word) {
    const slot = this.#find(word);
    this.#memory.writeUInt32LE(this.#memory.readUInt32LE(slot + COUNT) + 1, slot + COUNT);
  }

  get sum() {
    return this.#memory.readDoubleLE(SUM);
  }

  /** The words and their counts, as they are at one moment. */
  entries() {
    return this.exclusively(() => {
      const slots = Array.from({ length: this.#places }, (_, place) => SLOTS + place * SLOT);
      return slots
        .filter((slot) => this.#memory.readUInt32LE(slot + COUNT) > 0)
        .map((slot) => [this.#wordAt(slot), this.#memory.readUInt32LE(slot + COUNT)]);
    });
  }

  #wordAt(slot) {
    const from = slot + WORD;
    return this.#memory.latin1Slice(from, from + this.#memory.readUInt32LE(slot + LENGTH));
  }

  /** The slot that a word has, or gets. */
  #find(word) {
    if (word.length > LONGEST) throw new RangeError(`"${word}" is longer than ${LONGEST}`);
    for (let tries = 0, place = hash(word) % this.#places; tries < this.#places; tries++) {
      const slot = SLOTS + place * SLOT;
      if (this.#memory.readUInt32LE(slot + COUNT) === 0) {
        // free as long as its count is zero, whatever a process that was killed has left in it
        this.#memory.latin1Write(word, slot + WORD);
        this.#memory.writeUInt32LE(word.length, slot + LENGTH);
        return slot;
      }
      if (this.#wordAt(slot) === word) return slot;
      place = (place + 1) % this.#places;
    }
    throw new RangeError('the table is full');
  }

  /** Whoever held the lock was killed: the counts are right, the sum may not be. */
  #repair() {
    let sum = 0;
    for (let place = 0; place < this.#places; place++) sum += this.#memory.readUInt32LE(SLOTS + place * SLOT + COUNT);
    this.#memory.writeDoubleLE(sum, SUM);
    this.repairs++;
  }
}
