// node examples/append-log.mjs [FILE]    an append-only log: a record counts once it is on the disk
import assert from 'node:assert/strict';
import { closeSync, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mmap } from 'mmap-native';

// The file: how many bytes of records there are (64 bits), then the records, each with its length (32 bits) before it.
const HEADER = 8;
const PREFIX = 4;
const GROWTH = 2 ** 20;

class Log {
  #mapping;

  constructor(file) {
    if (!existsSync(file)) closeSync(openSync(file, 'wx'));
    const options = { backing: 'file', sharing: 'shared', access: 'readwrite', file };
    this.#mapping = mmap(options);
    if (this.#mapping.length < HEADER) this.#mapping.resize(GROWTH, { grow: true });
  }

  get #end() {
    return HEADER + Number(this.#mapping.view(DataView, 0, HEADER).getBigUint64(0, true));
  }

  /** Appends a record; when the promise is fulfilled, it is on the disk. */
  async append(text) {
    const record = Buffer.from(text);
    const start = this.#end;
    const end = start + PREFIX + record.length;
    if (end > this.#mapping.length) this.#mapping.resize(Math.ceil(end / GROWTH) * GROWTH, { grow: true });
    this.#mapping.view(DataView, start, PREFIX).setUint32(0, record.length, true);
    this.#mapping.view(Buffer, start + PREFIX, record.length).set(record);
    await this.#mapping.sync({ offset: start, length: end - start });
    // the record is on the disk: only now it is counted, so that half a record never is
    this.#mapping.view(DataView, 0, HEADER).setBigUint64(0, BigInt(end - HEADER), true);
    await this.#mapping.sync({ offset: 0, length: HEADER });
  }

  *records() {
    for (let at = HEADER; at < this.#end;) {
      const length = this.#mapping.view(DataView, at, PREFIX).getUint32(0, true);
      yield this.#mapping.text({ offset: at + PREFIX, length });
      at += PREFIX + length;
    }
  }

  close() {
    return this.#mapping.unmap();
  }
}

const [given] = process.argv.slice(2);
const folder = given === undefined ? mkdtempSync(join(tmpdir(), 'append-log-')) : undefined;
try {
  const file = given ?? join(folder, 'events.log');
  const before = new Log(file);
  const kept = [...before.records()];
  const added = ['started', `process ${process.pid}`, 'a long one '.repeat(200_000), 'stopped'];
  for (const record of added) await before.append(record);
  await before.close();

  const after = new Log(file);
  const found = [...after.records()];
  await after.close();
  assert.deepEqual(found, [...kept, ...added]);
  console.log(`${added.length} records appended, ${found.length} found when the log was opened again`);
} finally {
  if (folder !== undefined) rmSync(folder, { recursive: true });
}
