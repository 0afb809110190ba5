// One of many processes over a file: `reader.mjs HOW PATH`. Has all of it in memory, says so, and waits to be ended.
import { readFileSync } from 'node:fs';
import { library } from './library.mjs';
import { touchPages } from './work.mjs';

const [how, file] = process.argv.slice(2);
const { mmap } = await library();
const WAYS = {
  idle: () => undefined,
  map: () => mmap({ backing: 'file', sharing: 'private', file }).view(Uint8Array),
  read: () => readFileSync(file),
};
const bytes = WAYS[how]();
if (bytes !== undefined) touchPages(bytes);
console.log('ready');
process.stdin.on('end', () => process.exit(bytes === undefined ? 0 : Number(bytes.length === 0))).resume();
