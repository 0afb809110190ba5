import { appendFileSync, statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { mmap } from '../../lib/index.js';
import { runChild } from '../helpers/children.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { areasOf } from '../helpers/smaps.js';

const folder = tempDir();

test('pastEnd maps what the file has not reached, and leaves its length alone', () => {
  const file = pagesOf(folder, 1);
  using mapping = mmap({ backing: 'file', sharing: 'shared', file, length: 4 * PAGE, pastEnd: true });
  expect(mapping.length).toBe(4 * PAGE);
  expect(areasOf(file).map(({ start, end }) => end - start)).toEqual([4 * PAGE]);
  expect(statSync(file).size).toBe(PAGE);
});

test('what is not there reads as zeros and is reported, what the file has grown to is the file', async () => {
  const file = pagesOf(folder, 1);
  using mapping = mmap({ backing: 'file', sharing: 'shared', file, length: 4 * PAGE, pastEnd: true });
  const { bytes } = mapping;
  expect([bytes[0], bytes[PAGE]]).toEqual([97, 0]);
  expect(mapping.faults).toMatchObject([{ kind: 'truncated', pages: 1, first: PAGE }]);

  appendFileSync(file, Buffer.alloc(2 * PAGE, 'z'));
  expect([bytes[PAGE], bytes[2 * PAGE]]).toEqual([0, 122]);
  await mapping.refresh();
  expect(bytes[PAGE]).toBe(122);
  expect(mapping.verify()).toMatchObject({ fileSize: 3 * PAGE, covered: false });
});

test('a copy reports how far the file goes', () => {
  const file = pagesOf(folder, 1);
  using mapping = mmap({ backing: 'file', sharing: 'private', file, length: 4 * PAGE, pastEnd: true });
  expect(mapping.read(Buffer.alloc(2 * PAGE))).toBe(PAGE);
  expect(mapping.faultCount).toBe(0);
});

test('without the guard, the kernel has its way: SIGBUS', () => {
  const file = pagesOf(folder, 1);
  const touch = `const mapping = mmap({ ...given, onFault: 'signal' }); answer(mapping.bytes[4096]);`;
  const given = { backing: 'file', sharing: 'shared', file, length: 2 * PAGE, pastEnd: true };
  expect(() => runChild(touch, { given })).toThrow('child ended with SIGBUS');
});

test('it has to say how far', () => {
  const file = pagesOf(folder, 1);
  expect(() => mmap({ backing: 'file', sharing: 'shared', file, pastEnd: true })).toThrow(
    expect.objectContaining({ code: 'ERR_MISSING_OPTION' }),
  );
  const options = { backing: 'file', sharing: 'shared', file, length: 2 * PAGE } as const;
  expect(() => mmap(options)).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
  expect(() => mmap({ ...options, pastEnd: 1 as unknown as boolean })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_TYPE' }),
  );
});
