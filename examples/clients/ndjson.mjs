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

/** Shows the lines that have `needle` in them to `visit`, as Buffers over the file; returns how many lines there are, how long in all. */
const scan = (mapping, start, needle, visit) => {
  let lines = 0;
  let length = 0;
  for (let offset = start; offset < mapping.length;) {
    const window = mapping.view(Buffer, offset, Math.min(WINDOW, mapping.length - offset));
    let found = window.indexOf(needle);
    let from = 0;
    for (let to = window.indexOf(NEWLINE); to >= 0; to = window.indexOf(NEWLINE, from)) {
      lines++;
      length += to - from;
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
  return { lines, length };
};

const ERROR = '"level":"error"';

const ways = {
  mapped(file, start) {
    const mapping = mmap({ backing: 'file', sharing: 'private', file });
    let errors = 0;
    let bytes = 0;
    const all = scan(mapping, Number(start), ERROR, (line) => {
      errors++;
      bytes += JSON.parse(line.toString()).bytes;
    });
    return { answer: { ...all, errors, bytes }, keep: mapping };
  },

  async 'stream, readline'(file, start) {
    const answer = { lines: 0, length: 0, errors: 0, bytes: 0 };
    for await (const line of createInterface({ input: createReadStream(file, { start: Number(start) }) })) {
      answer.lines++;
      answer.length += line.length;
      if (!line.includes(ERROR)) continue;
      answer.errors++;
      answer.bytes += JSON.parse(line).bytes;
    }
    return { answer, keep: undefined };
  },
};

/** Lines of one block. */
const makeLines = () => {
  const random = randomNumbers(4);
  const lines = [];
  for (let length = 0; length < BLOCK; length += lines.at(-1).length) {
    const path = `/things/${Math.floor(random() * 1e9)}/parts/${'x'.repeat(random() * 60)}`;
    const level = random() < 0.001 ? 'error' : 'info';
    lines.push(`${JSON.stringify({ at: 1_700_000_000, level, path, bytes: Math.floor(random() * 1e5) })}\n`);
  }
  return lines;
};

await run(ways, async () => {
  const file = join(temporaryFolder(), 'events.ndjson');
  const lines = makeLines();
  const block = Buffer.from(lines.join(''));
  const fd = openSync(file, 'w');
  for (let i = 0; i < BLOCKS; i++) writeSync(fd, block, 0, block.length, START + i * block.length);
  closeSync(fd);

  const errors = lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 'error');
  const expected = {
    lines: lines.length * BLOCKS,
    length: (block.length - lines.length) * BLOCKS,
    errors: errors.length * BLOCKS,
    bytes: errors.reduce((sum, { bytes }) => sum + bytes, 0) * BLOCKS,
  };
  const { size } = statSync(file);
  assert.ok(size > 2 ** 32);
  console.log(`${expected.lines} lines, ${expected.errors} of them errors, up to byte ${size}:`);
  for (const way of Object.keys(ways)) assert.deepEqual(await compare(way, 1, file, START), [expected]);
});
