// Counts the lines of a file, searches it for a word and looks at bytes in random places, in one of three ways.
import { closeSync, openSync, readFileSync, readSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { mmap } from 'mmap-native';
import { answer, task } from './children.mjs';

/** Views this small cost the garbage collector nothing. */
const WINDOW = 16 * 2 ** 20;
const CHUNK = 2 ** 16;
const NEWLINE = 0x0a;

const { way, file, size, word, lookups } = task();
const overlap = word.length - 1;

/** Counts what begins in the first `limit` bytes. */
const countIn = (bytes, limit, what) => {
  let count = 0;
  for (let at = bytes.indexOf(what); at >= 0 && at < limit; at = bytes.indexOf(what, at + 1)) count++;
  return count;
};

const progress = (done) => process.send({ progress: done / size });

/** Each way opens the file, and then has parts of it one after another, and any byte. */
const ways = {
  view() {
    const mapping = mmap({ backing: 'file', sharing: 'private', file, length: size });
    const windows = [];
    for (let at = 0; at < size; at += WINDOW)
      windows.push(mapping.view(Buffer, at, Math.min(WINDOW + overlap, size - at)));
    return {
      step: WINDOW,
      *parts() {
        yield* windows;
      },
      at: (position) => windows[Math.floor(position / WINDOW)][position % WINDOW],
    };
  },

  async readFile() {
    const bytes = await readFile(file);
    return {
      step: size,
      *parts() {
        yield bytes;
      },
      at: (position) => bytes[position],
    };
  },

  read() {
    const fd = openSync(file, 'r');
    const buffer = Buffer.alloc(CHUNK + overlap);
    const one = Buffer.alloc(1);
    process.once('exit', () => closeSync(fd));
    return {
      step: CHUNK,
      *parts() {
        for (let at = 0; at < size; at += CHUNK) yield buffer.subarray(0, readSync(fd, buffer, 0, buffer.length, at));
      },
      at(position) {
        readSync(fd, one, 0, 1, position);
        return one[0];
      },
    };
  },
};

const memory = () => {
  const status = readFileSync('/proc/self/status', 'utf8');
  const field = (name) => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)[1]) * 1024;
  return { own: field('RssAnon'), cache: field('RssFile') };
};

const search = async () => {
  const before = memory();
  const marks = [performance.now()];
  const { step, parts, at } = await ways[way]();
  marks.push(performance.now());

  let lines = 0;
  let words = 0;
  let done = 0;
  let told = 0;
  for (const part of parts()) {
    lines += countIn(part, step, NEWLINE);
    words += countIn(part, step, word);
    done += step;
    if (done - told < WINDOW) continue;
    told = done;
    progress(done);
  }
  marks.push(performance.now());

  let sum = 0;
  let seed = 1;
  for (let i = 0; i < lookups; i++) {
    seed = (seed * 48_271) % 2_147_483_647;
    sum += at(Math.floor((seed / 2_147_483_647) * size));
  }
  marks.push(performance.now());

  const after = memory();
  const [open, count, look] = [1, 2, 3].map((i) => marks[i] - marks[i - 1]);
  return {
    found: { lines, words, sum },
    took: { open, count, look },
    memory: { own: Math.max(0, after.own - before.own), cache: Math.max(0, after.cache - before.cache) },
  };
};

try {
  answer(await search());
} catch (error) {
  if (error.code !== 'ERR_FS_FILE_TOO_LARGE') throw error;
  answer({ refused: error.code });
}
