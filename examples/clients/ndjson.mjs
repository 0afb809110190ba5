// node examples/clients/ndjson.mjs    the errors in a log of JSON lines that is longer than 4 GiB
import assert from 'node:assert/strict';
import { closeSync, createReadStream, openSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { mmap } from 'mmap-native';
import { compare, randomNumbers, run, short, temporaryFolder } from './lib/common.mjs';

/** Views up to this large cost the garbage collector nothing, and any runtime has them. */
const WINDOW = 16 * 2 ** 20;
const NEWLINE = 0x0a;

// The short form has its lines around the border of 4 GiB as well: behind a hole, which takes no room on the disk.
const BLOCKS = short ? 4 : 288;
const BLOCK = 16 * 2 ** 20;
const START = short ? 2 ** 32 - (BLOCKS / 2) * BLOCK : 0;

/** Shows the lines that have `needle` in them to `visit`, as Buffers over the file; returns how many lines there are. */
const scan = (mapping, start, needle, visit) => {
  let lines = 0;
  for (let offset = start; offset < mapping.length;) {
    const window = mapping.view(Buffer, offset, Math.min(WINDOW, mapping.length - offset));
    let found = window.indexOf(needle);
    let from = 0;
    for (let to = window.indexOf(NEWLINE); to >= 0; to = window.indexOf(NEWLINE, from)) {
      lines++;
      if (found >= from && found < to) {
        visit(window.subarray(from, to));
        found = window.indexOf(needle, to);
      }
      from = to + 1;
    }
    // the next window begins with the line that this one has in part
    if (from === 0) throw new RangeError(`the line at ${offset} is longer than a window, or has no end`);
    offset += from;
  }
  return lines;
};

const ERROR = '"level":"error"';

const ways = {
  mapped(file, start) {
    const mapping = mmap({ backing: 'file', sharing: 'private', file });
    let errors = 0;
    let bytes = 0;
    const lines = scan(mapping, Number(start), ERROR, (line) => {
      errors++;
      bytes += JSON.parse(line.toString()).bytes;
    });
    return { answer: { lines, errors, bytes }, keep: mapping };
  },

  async 'stream, readline'(file, start) {
    const answer = { lines: 0, errors: 0, bytes: 0 };
    for await (const line of createInterface({ input: createReadStream(file, { start: Number(start) }) })) {
      answer.lines++;
      if (!line.includes(ERROR)) continue;
      answer.errors++;
      answer.bytes += JSON.parse(line).bytes;
    }
    return { answer, keep: undefined };
  },
};

/** Writes the same lines again and again; what is to be found in them. */
const writeLines = (file) => {
  const random = randomNumbers(4);
  const expected = { lines: 0, errors: 0, bytes: 0 };
  let block = '';
  while (block.length < BLOCK) {
    const bytes = Math.floor(random() * 100_000);
    const level = random() < 0.001 ? 'error' : 'info';
    const path = `/things/${Math.floor(random() * 1e9)}/parts/${'x'.repeat(random() * 60)}`;
    block += `${JSON.stringify({ at: 1_700_000_000, level, path, bytes, agent: 'example' })}\n`;
    expected.lines++;
    if (level === 'info') continue;
    expected.errors++;
    expected.bytes += bytes;
  }
  const fd = openSync(file, 'w');
  for (let i = 0; i < BLOCKS; i++) writeSync(fd, block, START + i * block.length);
  closeSync(fd);
  return { lines: expected.lines * BLOCKS, errors: expected.errors * BLOCKS, bytes: expected.bytes * BLOCKS };
};

await run(ways, async () => {
  const file = join(temporaryFolder(), 'events.ndjson');
  const expected = writeLines(file);
  const { size } = statSync(file);
  assert.ok(size > 2 ** 32);
  console.log(`${expected.lines} lines, ${expected.errors} of them errors, up to byte ${size}:`);
  for (const way of Object.keys(ways)) assert.deepEqual(await compare(way, 1, file, START), [expected]);
});
