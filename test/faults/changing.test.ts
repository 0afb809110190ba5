import { expect, test } from 'vitest';
import { lacks } from '../helpers/skip.js';
import { tempDir } from '../helpers/files.js';
import { library, run } from './child.js';

/**
 * Which calls do not survive an ArrayBuffer that another thread writes to: docs/safety.md has exactly this list. They crash by
 * chance, so this takes its time: FAULTS_SOAK=1.
 */

const folder = tempDir();
const short = lacks(process.env['FAULTS_SOAK'] !== undefined, 'takes minutes: FAULTS_SOAK=1');
const SECONDS = 6;

const script = (body: string, text: boolean): string => `
  const { Worker } = await import('node:worker_threads');
  const zlib = await import('node:zlib');
  const crypto = await import('node:crypto');
  const file = fileOf(64);
  const m = map(file);
  const { bytes } = m;
  const worker = new Worker(\`
    const { parentPort, workerData } = require('node:worker_threads');
    import('${library}').then(({ mmap }) => {
      const { bytes } = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: workerData });
      const variants = [Buffer.alloc(bytes.length, 'a'), Buffer.alloc(bytes.length, 'é€😀')];
      parentPort.postMessage('ready');
      for (let i = 0; ; i++) {
        if (${text}) variants[i % 2].copy(bytes, i % 64);
        else for (let at = i % 64; at < bytes.length; at += 64) bytes[at] = at ^ i;
      }
    });\`, { eval: true, execArgv: [], workerData: file });
  await new Promise((resolve) => worker.once('message', resolve));
  const other = Buffer.alloc(bytes.length);
  let last;
  const end = Date.now() + ${SECONDS * 1000};
  while (Date.now() < end) { last = (() => ${body})(); }
  fs.writeSync(1, String(last === undefined));
  process.exit(0);`;
const ends = (body: string, text: boolean): unknown => {
  const { status, signal } = run(script(body, text), { given: { folder }, limit: 60_000 });
  return signal ?? status;
};

test.skipIf(short).each([
  ['sort()', 'new Int32Array(bytes.buffer).sort()', false],
  ["toString('utf8')", 'bytes.toString()', true],
  ['TextDecoder', 'new TextDecoder().decode(bytes)', true],
])('%s corrupts the heap', { timeout: 120_000 }, (_name, body, text) => {
  expect(ends(body, text)).toMatch(/^SIG(SEGV|ABRT|BUS|ILL|TRAP)$/);
});

test.skipIf(short).each([
  ['latin1', "bytes.toString('latin1')"],
  ['hex', "bytes.toString('hex')"],
  ['base64', "bytes.toString('base64')"],
  ['utf16le', "bytes.toString('utf16le')"],
  ['indexOf', "bytes.indexOf('zz')"],
  ['compare', 'bytes.compare(other)'],
  ['set', 'other.set(bytes)'],
  ['hash', "crypto.createHash('md5').update(bytes).digest()"],
  ['deflate', 'zlib.deflateSync(bytes, { level: 1 })'],
  ['structuredClone', 'structuredClone(bytes)'],
  ['join', 'new Int32Array(bytes.buffer, 0, 4096).join()'],
  ['text()', 'm.text()'],
])('%s was not seen to', { timeout: 120_000 }, (_name, body) => {
  expect([ends(body, true), ends(body, false)]).toEqual([0, 0]);
});
