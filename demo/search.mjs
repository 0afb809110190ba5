import assert from 'node:assert/strict';
import { run } from './children.mjs';
import { withProgress } from './terminal.mjs';

export const WORD = 'mmap';
export const LOOKUPS = 100_000;

const WAYS = [
  { way: 'view', label: "a mapping's views" },
  { way: 'readFile', label: 'fs.readFile' },
  { way: 'read', label: 'fs.read, 64 KiB at a time' },
];

const measure = (way, label, file, size) =>
  withProgress(`searching with ${label}`, (report) =>
    run('search-child.mjs', { way, file, size, word: WORD, lookups: LOOKUPS }, { onProgress: report }),
  );

/** Counts, searches and looks up in the whole file in three ways, each in a process of its own. */
export const search = async ({ file, size }) => {
  // for all three the file is in the page cache as far as it fits: none of them pays for the disk alone
  await measure('read', 'fs.read, to warm the page cache', file, size);
  const results = [];
  for (const { way, label } of WAYS) results.push({ way, label, ...(await measure(way, label, file, size)) });
  const [view, ...others] = results;
  const claims = others.map(({ label, refused, found }) => {
    const text =
      refused === undefined
        ? `${label} finds the same as the views`
        : `${label} cannot: ${refused}. The views can, whatever the size`;
    try {
      if (refused === undefined) assert.deepEqual(found, view.found);
      else assert.equal(refused, 'ERR_FS_FILE_TOO_LARGE');
      return { text, holds: true };
    } catch {
      return { text, holds: false, expected: view.found, actual: found ?? refused };
    }
  });
  return { word: WORD, lookups: LOOKUPS, results, claims };
};
