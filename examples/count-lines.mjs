// node examples/count-lines.mjs [FILE]    how many lines a file of any size has, without reading it into memory
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mmap } from 'mmap-native';

const NEWLINE = 0x0a;
/** Views up to this large cost the garbage collector nothing, and any runtime has them. */
const WINDOW = 16 * 2 ** 20;

/** Like `wc -l`: the number of line feeds. */
const countLines = (file) => {
  const mapping = mmap({ backing: 'file', sharing: 'private', file });
  try {
    let lines = 0;
    for (let offset = 0; offset < mapping.length; offset += WINDOW) {
      const bytes = mapping.view(Buffer, offset, Math.min(WINDOW, mapping.length - offset));
      for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) lines++;
    }
    return lines;
  } finally {
    mapping.unmapSync();
  }
};

const [given] = process.argv.slice(2);
if (given === undefined) {
  const folder = mkdtempSync(join(tmpdir(), 'count-lines-'));
  try {
    const file = join(folder, 'lines.txt');
    const expected = 1_000_000;
    writeFileSync(file, 'a line of text that fills the windows\n'.repeat(expected));
    assert.equal(countLines(file), expected);
    console.log(`${expected} lines were written, and found`);
  } finally {
    rmSync(folder, { recursive: true });
  }
} else {
  console.log(`${countLines(given)} ${given}`);
}
