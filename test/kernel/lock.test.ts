import { expect, test } from 'vitest';
import { mmap } from '../../lib/index.js';
import { runChild } from '../helpers/children.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { notRoot } from '../helpers/skip.js';
import { addressOf, areasIn, smaps } from '../helpers/smaps.js';

const folder = tempDir();
const SIZE = 8 * PAGE;
const file = pagesOf(folder, 8);
const MAP = { backing: 'file', sharing: 'private', file } as const;

const locked = (address: number): number => areasIn(address, SIZE).reduce((sum, area) => sum + area.bytes('Locked'), 0);

test.each(['lock', 'lockSync'] as const)('%s() reads every page and keeps it', async (form) => {
  using mapping = mmap(MAP);
  const address = addressOf(mapping);
  expect(locked(address)).toBe(0);
  await mapping[form]();
  expect(smaps(address).flags).toContain('lo');
  expect(smaps(address).bytes('Rss')).toBe(SIZE);
  expect(locked(address)).toBe(SIZE);
  mapping.unlock();
  expect(smaps(address).flags).not.toContain('lo');
  expect(locked(address)).toBe(0);
});

test('a range is every page that it touches; unlocking a part leaves the rest locked', async () => {
  using mapping = mmap(MAP);
  const address = addressOf(mapping);
  await mapping.lock({ offset: 2 * PAGE - 1, length: 2 });
  expect(locked(address)).toBe(2 * PAGE);
  mapping.unlock({ offset: 2 * PAGE, length: 1 });
  expect(areasIn(address, SIZE).map(({ flags }) => flags.includes('lo'))).toEqual([false, true, false]);
  expect(locked(address)).toBe(PAGE);
});

test('locks do not add up: one unlock undoes two', async () => {
  using mapping = mmap(MAP);
  await mapping.lock();
  await mapping.lock();
  mapping.unlock();
  expect(smaps(addressOf(mapping)).flags).not.toContain('lo');
});

test('onFault reads nothing now, and keeps each page from its first touch on', async () => {
  using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: SIZE });
  const address = addressOf(mapping);
  await mapping.lock({ onFault: true });
  expect(smaps(address).flags).toContain('lo');
  expect(smaps(address).bytes('Rss')).toBe(0);
  mapping.bytes[5 * PAGE] = 1;
  expect(locked(address)).toBe(PAGE);
});

test.each([
  [true, SIZE],
  ['onfault', 0],
] as const)('the option lock: %s locks the whole mapping from the start', (lock, resident) => {
  using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: SIZE, lock });
  expect(smaps(addressOf(mapping)).flags).toContain('lo');
  expect(smaps(addressOf(mapping)).bytes('Rss')).toBe(resident);
});

test.skipIf(notRoot())('beyond RLIMIT_MEMLOCK: ENOMEM, or EPERM where the limit is 0, and nothing mapped', () => {
  const script = `
    become(65534);
    const length = 1 << 20;
    const made = attempt(() => mmap({ backing: 'anonymous', sharing: 'private', length, lock: true }).length);
    const left = mappings().length;
    const mapping = mmap({ backing: 'anonymous', sharing: 'private', length });
    const sync = attempt(() => mapping.lockSync());
    const promise = await mapping.lock().catch((error) => ({ error: facts(error) }));
    mapping.bytes[0] = 1;
    answer({ made, left, sync, promise, text: mapping.bytes[0] });`;
  const under = (limit: string): unknown => runChild(script, { through: ['prlimit', `--memlock=${limit}:${limit}`] });
  const enomem = { error: { code: 'ENOMEM', syscall: 'mlock2', errno: -12 } };
  const eperm = { error: { code: 'EPERM', syscall: 'mlock2', errno: -1 } };
  expect(under('65536')).toMatchObject({ made: enomem, left: 0, sync: enomem, promise: enomem, text: 1 });
  expect(under('0')).toMatchObject({ made: eperm, left: 0, sync: eperm, promise: eperm, text: 1 });
});

test('a page that the file does not have cannot be locked, which is an error and not a signal', async () => {
  const { truncateSync } = await import('node:fs');
  const short = pagesOf(folder, 4);
  using mapping = mmap({ ...MAP, file: short });
  truncateSync(short, PAGE);
  await expect(mapping.lock()).rejects.toMatchObject({ code: expect.stringMatching(/^E(NOMEM|AGAIN)$/) as unknown });
  expect(mapping.text({ length: 1 })).toBe('a');
});
