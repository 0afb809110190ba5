import { closeSync, openSync, truncateSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { decode, encode } from '@msgpack/msgpack';
import { mmap } from 'mmap-native';

// A record: its length and its checksum, 32 bits each, then the bytes. Behind the last one there are zeros.
export const PREFIX = 8;
const GROWTH = 2 ** 20;

/** A value as a record. */
export const frame = (value) => {
  const bytes = encode(value);
  const record = Buffer.alloc(PREFIX + bytes.length);
  record.writeUInt32LE(bytes.length, 0);
  record.writeUInt32LE(crc32(bytes), 4);
  record.set(bytes, PREFIX);
  return record;
};

/** The records that are whole: the first that is not ends the log. */
function* recordsOf(bytes) {
  for (let start = 0; start + PREFIX <= bytes.length;) {
    const from = start + PREFIX;
    const end = from + bytes.readUInt32LE(start);
    if (end === from || end > bytes.length) return;
    const packed = bytes.subarray(from, end);
    if (crc32(packed) !== bytes.readUInt32LE(start + 4)) return;
    yield { value: decode(packed), end };
    start = end;
  }
}

/** An append-only log of MessagePack values, written by one process at a time. */
export class Log {
  #file;
  #mapping;
  #end = 0;
  #synced = 0;

  /** Opens the log, or makes it, and cuts off what was torn. */
  constructor(file) {
    closeSync(openSync(file, 'a'));
    const before = mmap({ backing: 'file', sharing: 'private', file });
    for (const { end } of recordsOf(before.bytes)) this.#end = end;
    before.unmapSync();
    truncateSync(file, this.#end); // what is mapped beyond it are new zeros
    const length = this.#end + GROWTH;
    this.#mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, length, grow: true });
    this.#file = file;
  }

  /** Returns where the record is. */
  append(value) {
    const record = frame(value);
    const start = this.#end;
    const end = start + record.length;
    if (end > this.#mapping.length) this.#mapping.resize(end + GROWTH, { grow: true });
    this.#mapping.view(Buffer, start, record.length).set(record);
    this.#end = end;
    return start;
  }

  /** When the promise is fulfilled, what was appended before is on the disk. */
  async sync() {
    const end = this.#end;
    await this.#mapping.sync({ offset: this.#synced, length: end - this.#synced });
    this.#synced = end;
  }

  /** The value that append() said is there. */
  at(start) {
    const { bytes } = this.#mapping;
    const from = start + PREFIX;
    return decode(bytes.subarray(from, from + bytes.readUInt32LE(start)));
  }

  *values() {
    for (const { value } of recordsOf(this.#mapping.bytes)) yield value;
  }

  async close() {
    await this.#mapping.unmap();
    truncateSync(this.#file, this.#end);
  }
}
