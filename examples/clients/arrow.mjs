// node examples/clients/arrow.mjs    apache-arrow reads an IPC file where the kernel has it, in four processes
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeTable, RecordBatchFileWriter, tableFromIPC } from 'apache-arrow';
import { mmap } from 'mmap-native';
import { compare, run, short, temporaryFolder } from './lib/common.mjs';

const PROCESSES = 4;
const ROWS = 2 ** 18;
const BATCHES = short ? 8 : 128;

/** A table of trades, batch by batch: 16 bytes a row. */
const writeTrades = async (file) => {
  const fd = openSync(file, 'w');
  const writer = new RecordBatchFileWriter();
  for (let batch = 0; batch < BATCHES; batch++) {
    const number = (i) => batch * ROWS + i;
    const table = makeTable({
      trade: Int32Array.from({ length: ROWS }, (_, i) => number(i)),
      volume: Int32Array.from({ length: ROWS }, (_, i) => number(i) % 1000),
      price: Float64Array.from({ length: ROWS }, (_, i) => (number(i) % 97) / 4),
    });
    for (const part of table.batches) writer.write(part);
  }
  writer.finish();
  for await (const chunk of writer) writeSync(fd, chunk);
  closeSync(fd);
};

const turnover = (table) => {
  let sum = 0;
  for (const { data } of table.batches) {
    const [, { values: volumes }, { values: prices }] = data.children;
    for (let i = 0; i < volumes.length; i++) sum += volumes[i] * prices[i];
  }
  return sum;
};

const ways = {
  mapped(file) {
    const mapping = mmap({ backing: 'file', sharing: 'private', file });
    const table = tableFromIPC(mapping.bytes);
    // nothing was copied: every column of every batch lies in the mapping
    for (const { data } of table.batches)
      for (const column of data.children) assert.equal(column.values.buffer, mapping.buffer);
    return { answer: turnover(table), keep: table };
  },

  readFile(file) {
    const table = tableFromIPC(readFileSync(file));
    return { answer: turnover(table), keep: table };
  },
};

await run(ways, async () => {
  const file = join(temporaryFolder(), 'trades.arrow');
  await writeTrades(file);
  let expected = 0;
  for (let trade = 0; trade < BATCHES * ROWS; trade++) expected += (trade % 1000) * ((trade % 97) / 4);
  console.log(`${BATCHES * ROWS} rows, ${(statSync(file).size / 1e6).toFixed(0)} MB, in ${PROCESSES} processes:`);
  for (const way of Object.keys(ways))
    assert.deepEqual(await compare(way, PROCESSES, file), Array(PROCESSES).fill(expected));
});
