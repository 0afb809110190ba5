import * as fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { checkHandle } from '../../lib/handle.js';
import { attach, type MappingHandle, mappings, mmap } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';

const file = pagesOf(tempDir(), 2);
const mapped = [
  mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE }),
  mmap({ backing: 'anonymous', sharing: 'private', length: PAGE }),
  mmap({ backing: 'file', sharing: 'shared', file, offset: 1n, length: 10 }),
];
const handles: MappingHandle[] = [
  ...mapped.map((mapping) => mapping.handle()),
  ...mapped.slice(0, 1).map((mapping) => mapping.handle({ inheritedFd: 5 })),
];
afterAll(() => mapped.forEach((mapping) => mapping.unmapSync()));

test.each(handles)('a handle survives JSON and its own check: $kind', (handle) => {
  expect(checkHandle(JSON.parse(JSON.stringify(handle)))).toStrictEqual(handle);
});

test('the four kinds are what they say', () => {
  expect(handles.map(({ kind }) => kind)).toEqual(['memfd', 'process', 'file', 'inherited']);
});

const STRANGER = '0123456789abcdef'.repeat(2);

const hostile = fc.oneof(
  fc.anything({ withBigInt: true, withTypedArray: true, withNullPrototype: true }),
  fc.integer(),
  fc.constantFrom(
    -1,
    0,
    2 ** 31,
    2 ** 32,
    2 ** 53,
    0.5,
    '',
    '\0',
    '..',
    '/proc/self/mem',
    'memfd',
    'self',
    '1'.repeat(99),
  ),
);

test('whatever is put into a handle, attach() answers with an error that has a code', () => {
  const before = mappings().length;
  const property = fc.constantFrom(
    ...new Set(['name', 'pid', 'length', 'fd', 'path', 'kind', 'offset', 'device', 'inode', 'v', 'access', 'extra']),
  );
  // another name, or the process would find its own mapping by it
  const stranger = fc.constantFrom(...handles.map((handle) => Object.assign({}, handle, { name: STRANGER })));
  fc.assert(
    fc.property(stranger, fc.dictionary(property, hostile, { maxKeys: 3 }), (handle, changes) => {
      const given = { ...handle, ...changes } as unknown as MappingHandle;
      let code: unknown = 'E';
      try {
        attach(given).unmapSync(); // it may still be a good one
      } catch (error) {
        ({ code } = error as { code?: unknown });
      }
      expect(code).toMatch(/^E[A-Z_]*$/);
    }),
    { numRuns: 500 },
  );
  expect(mappings()).toHaveLength(before);
});

test.each([undefined, null, 1, 'handle', [], {}, { v: 2 }, { kind: 'memfd' }])('%j is no handle', (value) => {
  expect(() => attach(value as unknown as MappingHandle)).toThrow(
    expect.objectContaining({ code: expect.stringMatching(/^ERR_INVALID_ARG_(TYPE|VALUE)$/) as unknown }),
  );
});

test('an unknown property of a handle is refused, not ignored', () => {
  for (const handle of handles) {
    expect(() => checkHandle({ ...handle, extra: 1 })).toThrow("'handle.extra' is not an option");
  }
});

test.each(['-1', '0x10', '1e3', ' 1', '1n', '', '1'.repeat(21), 5])('%j is no inode', (inode) => {
  expect(() => checkHandle({ ...handles[2], inode })).toThrow(
    expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }),
  );
});

test.each([-1, 0.5, 2 ** 31, Number.NaN])('%s is no descriptor to inherit', (inheritedFd) => {
  expect(() => mapped[0]?.handle({ inheritedFd })).toThrow(expect.objectContaining({ code: 'ERR_OUT_OF_RANGE' }));
});

test('memory without a descriptor has none to inherit', () => {
  expect(() => mapped[1]?.handle({ inheritedFd: 3 })).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
});
