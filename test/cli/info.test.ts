import { chmodSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { hintsFor } from '../../lib/cli/hints.js';
import { draw } from '../../lib/cli/pages.js';
import { mmap } from '../../lib/index.js';
import { evict, hasDisk, PAGE, pagesOf, tempDir, tempFile } from '../helpers/files.js';
import { lacks, noOtherUser } from '../helpers/skip.js';
import { mmapNative, reported, started } from './terminal.js';

const folder = tempDir();

interface Report {
  readonly size: number;
  readonly allocated: number;
  readonly pages: number;
  readonly residentPages?: number;
  readonly map?: readonly { readonly pages: number; readonly resident: number }[];
  readonly hints: readonly { readonly hint: string }[];
}

const info = async (file: string): Promise<Report & { code: number }> => reported<Report>('info', file);

test('tells the size, the pages, and that what was just written is in memory', async () => {
  const file = pagesOf(folder, 3);
  expect(await info(file)).toMatchObject({
    code: 0,
    size: 3 * PAGE,
    pages: 3,
    residentPages: 3,
    map: Array.from({ length: 3 }, () => ({ pages: 1, resident: 1 })),
  });
});

const noDisk = lacks(hasDisk(folder), 'the temporary folder is a tmpfs, whose pages cannot be evicted');
test.skipIf(noDisk)('draws what is in memory, and brings nothing in', async () => {
  const file = pagesOf(folder, 256);
  evict(file);
  expect((await info(file)).residentPages).toBe(0);
  {
    using mapping = mmap({ backing: 'file', sharing: 'private', file, advice: 'random' });
    mapping.read(Buffer.alloc(PAGE), { offset: 5 * PAGE });
    mapping.read(Buffer.alloc(PAGE), { offset: 255 * PAGE });
  }
  const { residentPages, map } = await info(file);
  expect(residentPages).toBe(2);
  expect(map?.map(({ resident }) => resident).flatMap((resident, i) => (resident > 0 ? [i] : []))).toEqual([5, 255]);
  const { out } = await mmapNative('info', file);
  expect(out).toContain(`  ·····█${'·'.repeat(58)}\n`);
  expect(out).toContain('2 of 256 pages, 8.0 KiB, 0.8 %');
});

test('a file of more pages than marks is drawn in marks of equally many', async () => {
  const file = tempFile(folder);
  truncateSync(file, 2 ** 31 + 1);
  const { pages, allocated, map, hints } = await info(file);
  expect([pages, allocated, map?.length]).toEqual([2 ** 19 + 1, 0, 512]);
  expect(map?.[0]).toEqual({ pages: 1025, resident: 0 });
  expect(map?.reduce((sum, cell) => sum + cell.pages, 0)).toBe(pages);
  expect(hints.map(({ hint }) => hint)).toContain('grow: true or populate({ write: true }) before writing');
});

test('an empty file has nothing to map', async () => {
  const { code, out } = await mmapNative('info', tempFile(folder));
  expect(code).toBe(0);
  expect(out).toContain('nothing to map: it is empty');
});

test.skipIf(noOtherUser())('of a file that is neither yours nor yours to write, nothing is claimed', () => {
  const file = pagesOf(folder, 4);
  chmodSync(folder, 0o755);
  chmodSync(file, 0o644);
  const as = { through: ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'] };
  const { status, stdout, stderr } = started(['info', file], as);
  expect([status, stderr]).toEqual([0, '']);
  expect(stdout).toContain('not told');
  expect(JSON.parse(started(['info', file, '--json'], as).stdout)).not.toHaveProperty('residentPages');
});

test.each(['/proc', '/dev/zero', '/dev/null'])('%s is refused', async (file) => {
  expect(await mmapNative('info', file)).toEqual({
    code: 1,
    out: '',
    complaint: `mmap-native: '${file}' is not a regular file\n`,
  });
});

test('marks say none, some, half, most and all', () => {
  const cells = [0, 1, 3, 6, 8, 9].map((resident) => ({ pages: 9, resident }));
  expect(draw(cells, 4, '> ')).toBe('> ·░▒▓\n> ▓█\n');
});

describe('hints', () => {
  const FACTS = { size: 2 ** 30, allocated: 2 ** 30, resident: 0, memoryAvailable: 2 ** 33, network: false };
  const hints = (facts: Partial<typeof FACTS> = {}): string =>
    hintsFor({ ...FACTS, ...facts })
      .map(({ hint }) => hint)
      .join('; ');

  test.each([
    ['a small file is better read', { size: 100, allocated: PAGE }, /^fs\.readFile$/],
    ['a cold one that fits is read ahead', {}, /'willneed'.*'random'/],
    ['one that is there needs nothing', { resident: 1 }, /^no advice/],
    ['one that does not fit is not', { memoryAvailable: 2 ** 20 }, /^advice: 'random'; a stream/],
    ['one with holes may meet a full disk', { allocated: 0 }, /grow: true/],
    ['one on a network file system may go away', { network: true }, /on\('fault'/],
    ['one that no ArrayBuffer can hold is for windows', { size: 2 ** 60, allocated: 2 ** 60 }, /view\(\) of windows/],
  ])('%s', (_name, facts, expected) => {
    expect(hints(facts)).toMatch(expected);
  });

  test('where the kernel does not tell, none says that it is there', () => {
    expect(hintsFor({ ...FACTS, resident: undefined }).map(({ hint }) => hint)).not.toContain('no advice');
  });
});
