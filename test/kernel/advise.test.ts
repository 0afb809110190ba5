import { expect, test } from 'vitest';
import { type Advice, type Mapping, mmap, supports } from '../../lib/index.js';
import { allocated, PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { lacks, noStrace } from '../helpers/skip.js';
import { addressOf, areasIn, smaps } from '../helpers/smaps.js';
import { strace } from '../helpers/strace.js';

const folder = tempDir();
const HARMLESS = [
  'normal',
  'random',
  'sequential',
  'willneed',
  'dontfork',
  'dofork',
  'mergeable',
  'unmergeable',
  'hugepage',
  'nohugepage',
  'dontdump',
  'dodump',
  'wipeonfork',
  'keeponfork',
  'cold',
  'pageout',
] as const satisfies readonly Advice[];
const DESTRUCTIVE = ['dontneed', 'free', 'remove'] as const satisfies readonly Advice[];

const anonymous = (pages: number, sharing: 'private' | 'shared' = 'private'): Mapping =>
  mmap({ backing: 'anonymous', sharing, length: pages * PAGE });

const coded = (code: string): unknown => expect.objectContaining({ code });

/** Which pages still have their first byte. */
const kept = (mapping: Mapping): string =>
  Array.from({ length: mapping.length / PAGE }, (_, page) => (mapping.bytes[page * PAGE] === 0 ? '.' : 'x')).join('');

test.skipIf(noStrace())('each advice is the madvise(2) of its name, on whole pages', () => {
  const wanted = HARMLESS.filter((advice) => supports(advice));
  const calls = strace(
    `const mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 777 * 4096 });
     for (const advice of given) mapping.advise(advice, { offset: 1, length: 775 * 4096 });
     mapping.advise('dontneed', { discard: true });
     mapping.advise('free', { discard: true });
     mmap({ backing: 'anonymous', sharing: 'shared', length: 777 * 4096 }).advise('remove', { discard: true })`,
    'madvise',
    { given: wanted },
  );
  const ours = calls.filter((call) => /, 31[78]\d{4}, /.test(call)).map((call) => call.replace(/0x[\da-f]+/, '*'));
  expect(ours).toEqual([
    ...wanted.map((advice) => `madvise(*, ${776 * PAGE}, MADV_${advice.toUpperCase()}) = 0`),
    ...DESTRUCTIVE.map((advice) => `madvise(*, ${777 * PAGE}, MADV_${advice.toUpperCase()}) = 0`),
  ]);
});

test.each([
  ['random', 'rr'],
  ['sequential', 'sr'],
  ['dontfork', 'dc'],
  ['dontdump', 'dd'],
  ['hugepage', 'hg'],
  ['nohugepage', 'nh'],
  ['mergeable', 'mg'],
  ['wipeonfork', 'wf'],
] as const)('%s is the flag %s of its pages, and of no others', (advice, flag) => {
  if (lacks(supports(advice), `this kernel does not know ${advice}`)) return;
  using mapping = anonymous(8);
  const address = addressOf(mapping);
  mapping.advise(advice, { offset: 2 * PAGE + 100, length: PAGE });
  const flagged = areasIn(address, mapping.length).filter(({ flags }) => flags.includes(flag));
  expect(flagged.map(({ start, end }) => [start - address, end - address])).toEqual([[2 * PAGE, 4 * PAGE]]);
});

test('options hugePages and advice advise the whole mapping', () => {
  const length = 8 * PAGE;
  using huge = mmap({ backing: 'anonymous', sharing: 'private', length, hugePages: true, advice: 'dontdump' });
  expect(smaps(addressOf(huge)).flags).toEqual(expect.arrayContaining(['hg', 'dd']));
  using file = mmap({ backing: 'file', sharing: 'private', file: pagesOf(folder, 3), offset: 5000, advice: 'random' });
  expect(smaps(addressOf(file))).toMatchObject({ end: addressOf(file) - (5000 % PAGE) + 2 * PAGE });
  expect(smaps(addressOf(file)).flags).toContain('rr');
});

test.each(DESTRUCTIVE)('%s throws nothing away unless told so', (advice) => {
  using mapping = anonymous(3);
  mapping.bytes.fill(1);
  expect(() => mapping.advise(advice)).toThrow(coded('ERR_INVALID_ARG_VALUE'));
  expect(() => mapping.advise(advice, { discard: false })).toThrow('discard: true');
  expect(kept(mapping)).toBe('xxx');
});

test.each([
  [0, 5 * PAGE, '.....'],
  [1, 5 * PAGE - 1, 'x....'],
  [0, 5 * PAGE - 1, '....x'],
  [PAGE, 2 * PAGE, 'x..xx'],
  [PAGE + 1, 2 * PAGE, 'xx.xx'],
  [PAGE + 1, 2 * PAGE - 2, 'xxxxx'],
  [100, 100, 'xxxxx'],
  [2 * PAGE, 0, 'xxxxx'],
  [2 * PAGE, undefined, 'xx...'],
])('dontneed from byte %i, %s long, discards only pages that lie inside: %s', (offset, length, left) => {
  using mapping = anonymous(5);
  mapping.bytes.fill(1);
  mapping.advise('dontneed', { offset, length, discard: true });
  expect(kept(mapping)).toBe(left);
});

test('dontneed on a private file drops this process’s changes, and the file shows again', () => {
  const file = pagesOf(folder, 2);
  using mapping = mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file });
  mapping.bytes.fill('X');
  mapping.advise('dontneed', { length: PAGE, discard: true });
  expect(mapping.text({ offset: PAGE - 1, length: 2 })).toBe('aX');
});

test('dontneed on shared memory loses nothing, and needs no leave', () => {
  using mapping = anonymous(2, 'shared');
  mapping.bytes.fill(1);
  mapping.advise('dontneed');
  expect(kept(mapping)).toBe('xx');
});

test('remove takes the pages of shared memory away for everybody', () => {
  const file = pagesOf(folder, 8);
  using mapping = anonymous(3, 'shared');
  mapping.bytes.fill(1);
  mapping.advise('remove', { offset: PAGE, length: PAGE, discard: true });
  expect(kept(mapping)).toBe('x.x');

  using shared = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
  const before = allocated(file);
  shared.advise('remove', { offset: 0, length: 4 * PAGE, discard: true });
  expect(shared.text({ offset: 4 * PAGE - 1, length: 2 })).toBe('\0e');
  expect(allocated(file)).toBeLessThan(before);
});

test('an advice that does not fit the memory is EINVAL with its name', () => {
  using file = mmap({ backing: 'file', sharing: 'shared', file: pagesOf(folder, 1) });
  for (const advice of ['free', 'wipeonfork'] as const)
    expect(() => file.advise(advice, { discard: true })).toThrow(`madvise 'MADV_${advice.toUpperCase()}'`);
  const asked = { backing: 'file', sharing: 'shared', file: pagesOf(folder, 1), advice: 'wipeonfork' } as const;
  expect(() => mmap(asked)).toThrow(coded('EINVAL'));
  expect(() => mmap(asked)).toThrow("madvise 'MADV_WIPEONFORK'");
});

test('remove on memory that may only be read is EACCES', () => {
  using mapping = mmap({ backing: 'file', sharing: 'shared', file: pagesOf(folder, 1) });
  expect(() => mapping.advise('remove', { discard: true })).toThrow(coded('EACCES'));
});

test('an advice that does not exist is refused before the call, and lists those that do', () => {
  using mapping = anonymous(1);
  for (const wrong of ['MADV_RANDOM', 'guard_install', 'hwpoison', 'populate_read', 'constructor', 4, undefined])
    expect(() => mapping.advise(wrong as Advice)).toThrow(coded('ERR_INVALID_ARG_VALUE'));
  expect(() => mapping.advise('x' as Advice)).toThrow("'willneed'");
});

test('a discard beyond the mapping never reaches the memory behind it', () => {
  using mapping = anonymous(2);
  for (const range of [
    { offset: 0, length: 3 * PAGE },
    { offset: 2 ** 53 - 1, length: 2 ** 53 - 1 },
    { length: 2 ** 52 },
  ])
    expect(() => mapping.advise('dontneed', { ...range, discard: true })).toThrow(coded('ERR_OUT_OF_RANGE'));
});
