import { openSync, readSync } from 'node:fs';
import { makeDraw } from '../harness/draw.mjs';
import { makeFile, MiB } from '../harness/files.mjs';
import { library } from '../harness/library.mjs';
import { sumNumbers } from '../harness/work.mjs';

const LENGTH = 256 * MiB;
const CHUNK = MiB;
const PAGE = 4096;
const TOUCHES = 1000;

/** All of it from front to back, or a thousand pages here and there. */
const PATTERNS = {
  sequential: (numbers) => sumNumbers(numbers),
  random: (numbers) => {
    const draw = makeDraw();
    const pages = (numbers.length * 8) / PAGE;
    let sum = 0;
    for (let i = 0; i < TOUCHES; i++) sum += numbers[(draw() % pages) * (PAGE / 8)];
    return sum;
  },
};

const mapped = (options, prepare = () => {}) => ({
  cold: true,
  async setup({ parameters, point }) {
    const { mmap } = await library();
    return () => {
      const mapping = mmap({ backing: 'file', sharing: 'private', file: parameters.file, ...options });
      prepare(mapping);
      PATTERNS[point](mapping.view(Float64Array));
      mapping.unmapSync();
    };
  },
});

const read = {
  cold: true,
  async setup({ parameters, point }) {
    const fd = openSync(parameters.file);
    const chunk = new Float64Array((point === 'random' ? PAGE : CHUNK) / 8);
    return () => {
      const draw = makeDraw();
      const steps = point === 'random' ? TOUCHES : LENGTH / CHUNK;
      for (let i = 0; i < steps; i++) {
        const place = point === 'random' ? draw() % (LENGTH / PAGE) : i;
        readSync(fd, chunk, 0, chunk.byteLength, place * chunk.byteLength);
        sumNumbers(chunk);
      }
    };
  },
};

export default {
  name: 'advice',
  order: 14,
  title: 'A cold file of 256 MiB, with each advice',
  about:
    'The page cache holds nothing of the file before each turn: posix_fadvise(DONTNEED), and mincore says so. Sequential reads all of it, ' +
    'random touches a thousand pages. No advice is right for both.',
  unit: 'pass',
  operations: 1,
  rounds: 5,
  points: { name: 'pattern', unit: 'word', values: ['sequential', 'random'], short: ['random'] },
  baseline: 'no advice',
  shown: ['diskBytes', 'majorFaults'],
  cold: ({ parameters }) => parameters.file,
  prepare: ({ directory }) => ({ file: makeFile(directory, LENGTH) }),
  contestants: {
    'no advice': mapped({}),
    sequential: mapped({ advice: 'sequential' }),
    random: mapped({ advice: 'random' }),
    willneed: mapped({ advice: 'willneed' }),
    'populate: true': mapped({ populate: true }),
    readSync: read,
  },
};
