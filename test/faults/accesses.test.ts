import * as zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/files.js';
import { lacks } from '../helpers/skip.js';
import { run } from './child.js';

/**
 * The proof that test/runtimes/cases/faults.mjs tests something: each of the accesses it tries ends the process where
 * there is no guard.
 */

const folder = tempDir();
const accesses = new URL('accesses.mjs', import.meta.url).href;
type Table = Readonly<Record<string, unknown>>;
const { fills, reads, writes } = (await import(accesses)) as { fills: Table; reads: Table; writes: Table };

const ends = (table: string, name: string, access: string): string | null =>
  run(
    `const all = await import('${accesses}');
     const file = fileOf(all.PAGES);
     const m = map(file, { access: '${access}' });
     if ('${access}' === 'readwrite') fs.truncateSync(file, all.LEFT);
     await all.${table}[${JSON.stringify(name)}](m.bytes);`,
    { given: { folder }, guard: 'off' },
  ).signal;

/** 130 processes, to no end. */
const inVain = lacks(
  process.env['MMAP_NATIVE_PREBUILD'] === undefined,
  'without the guard there is nothing to instrument',
);
const there = (name: string): boolean => name !== 'crc32' || 'crc32' in zlib;

test.skipIf(inVain).each(Object.keys(reads).filter(there))('reads: %s', (name) => {
  expect(ends('reads', name, 'readwrite')).toBe('SIGBUS');
});

test
  .skipIf(inVain)
  .each([
    ...Object.keys(writes).map((name) => ['writes', name]),
    ...Object.keys(fills).map((name) => ['fills', name]),
  ] as [string, string][])('%s: %s', (table, name) => {
  expect([ends(table, name, 'readwrite'), ends(table, name, 'read')]).toEqual(['SIGBUS', 'SIGSEGV']);
});
