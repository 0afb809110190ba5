import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkOptions } from '../../lib/options.js';

const FILE = { backing: 'file', sharing: 'private', file: '/x' };
const ANONYMOUS = { backing: 'anonymous', sharing: 'shared', length: 4096 };

const thrown = (options: unknown): Record<string, unknown> => {
  try {
    checkOptions(options);
  } catch (error) {
    return { ...(error as object), name: (error as Error).name, message: (error as Error).message };
  }
  throw new Error('was accepted');
};

test.each([undefined, null, 'file', 1, true, () => FILE])('options that are %s are refused by type', (options) => {
  expect(thrown(options)).toMatchObject({ name: 'TypeError', code: 'ERR_INVALID_ARG_TYPE' });
});

test('an array is no set of options', () => {
  expect(thrown([])).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
});

describe('what has no default must be said', () => {
  test.each([
    [{ ...FILE, backing: undefined }, 'options.backing'],
    [{ ...FILE, sharing: undefined }, 'options.sharing'],
    [{ ...FILE, file: undefined }, 'options.file'],
    [{ ...ANONYMOUS, length: undefined }, 'options.length'],
    [{ ...FILE, sharing: 'shared', access: 'readwrite', grow: true }, 'options.length'],
    [{ ...FILE, pastEnd: true }, 'options.length'],
  ])('%j lacks %s', (options, name) => {
    expect(thrown(options).message).toContain(name);
  });
});

// each wrong value in turn, in options that are good otherwise
const WRONG_VALUES: [base: object, name: string, values: unknown[]][] = [
  [FILE, 'backing', ['File', 'files', '', 0, null, ['file'], {}]],
  [FILE, 'sharing', ['Private', 'public', '', 0, null, true]],
  [FILE, 'access', ['write', 'rw', 'READ', '', 0, null, true]],
  [FILE, 'lock', ['true', 'onFault', 1, null]],
  [FILE, 'advice', ['MADV_RANDOM', 'Random', 'hwpoison', 'toString', '', 1, null]],
  [FILE, 'advice', ['dontneed', 'free', 'remove']],
  [FILE, 'onFault', ['ignore', 'Report', '', true, null]],
  [FILE, 'label', ['', 'a\0', 'x'.repeat(64), 'é'.repeat(32)]],
  [ANONYMOUS, 'peers', ['readable', 'read', '', 0, null, true]],
  [ANONYMOUS, 'hugePages', ['true', 'hugepage', 1, null]],
];
const WRONG_TYPES: typeof WRONG_VALUES = [
  [FILE, 'label', [0, null, true, {}]],
  [FILE, 'pastEnd', ['true', 0, null, {}]],
  [FILE, 'populate', ['true', 0, null, {}]],
  [FILE, 'noReserve', ['true', 0, null, {}]],
  [FILE, 'hugePages', ['hugetlb', 'true', 0, null]],
  [FILE, 'grow', ['true', 1, null]],
  [FILE, 'offset', ['0', null, {}, true]],
  [FILE, 'length', ['1', null, [], true]],
  [FILE, 'file', [null, true, {}, [], 1n, () => '/x', Symbol('/x'), { fd: '3' }, new Uint16Array(2)]],
  [ANONYMOUS, 'length', ['1', null, [], true]],
  [ANONYMOUS, 'joinable', ['true', 0, null]],
];
const OUT_OF_RANGE: typeof WRONG_VALUES = [
  [FILE, 'offset', [-1, -0, 0.5, Number.NaN, 2 ** 53, -1n, 2n ** 53n]],
  [FILE, 'length', [-1, -0, 0.5, Number.NaN, 2 ** 53, -1n, 2n ** 53n]],
  [FILE, 'file', [-1, 0.5, Number.NaN, 2 ** 31]],
  [ANONYMOUS, 'length', [-1, -0, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, 2n ** 64n]],
];

describe.each([
  ['ERR_INVALID_ARG_VALUE', 'TypeError', WRONG_VALUES],
  ['ERR_INVALID_ARG_TYPE', 'TypeError', WRONG_TYPES],
  ['ERR_OUT_OF_RANGE', 'RangeError', OUT_OF_RANGE],
])('%s', (code, name, table) => {
  const cases = table.flatMap(([base, option, values]) => values.map((value) => [option, value, base] as const));
  test.each(cases)('%s: %s', (option, value, base) => {
    const error = thrown({ ...base, [option]: value });
    expect(error).toMatchObject({ name, code });
    expect(error['message']).toContain(`options.${option}`);
  });
});

test.each(['', 'a\0b', new Uint8Array(0), Buffer.from('a\0b'), new URL('file:///a%00b')])(
  'a path that no file can have is refused before open(2): %j',
  (file) => {
    expect(thrown({ ...FILE, file })).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  },
);

test('a URL of another scheme is no file', () => {
  expect(thrown({ ...FILE, file: new URL('http://example.org/x') })).toMatchObject({ code: 'ERR_INVALID_URL_SCHEME' });
});

test('a FileHandle that is closed is not a descriptor', () => {
  expect(thrown({ ...FILE, file: { fd: -1 } })).toMatchObject({
    code: 'ERR_INVALID_ARG_VALUE',
    message: expect.stringContaining('open') as unknown,
  });
});

test.each([
  [{ ...FILE, grow: true, length: 1 }, 'options.grow'],
  [{ ...FILE, sharing: 'shared', grow: true, length: 1 }, 'options.grow'],
  [{ ...FILE, access: 'readwrite', grow: true, length: 1 }, 'options.grow'],
  [{ ...ANONYMOUS, sharing: 'private', joinable: true }, 'options.joinable'],
  [{ ...ANONYMOUS, sharing: 'private', peers: 'readonly' }, 'options.peers'],
  [{ ...ANONYMOUS, joinable: false, peers: 'readwrite' }, 'options.peers'],
])('options that contradict each other are refused: %j', (options, name) => {
  expect(thrown(options)).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  expect(thrown(options)['message']).toContain(name);
});

test('an offset and a length that only together are beyond 2^53 are refused', () => {
  expect(thrown({ ...FILE, offset: 2 ** 53 - 1, length: 1 })).toMatchObject({ code: 'ERR_OUT_OF_RANGE' });
  expect(checkOptions({ ...FILE, offset: 2 ** 53 - 2, length: 1 })).toMatchObject({ offset: 2 ** 53 - 2, length: 1 });
});

test.each([
  [FILE, 'Sharing', 'sharing'],
  [FILE, 'lenght', 'length'],
  [FILE, 'ofset', 'offset'],
  [FILE, 'hugepages', 'hugePages'],
  [FILE, 'noreserve', 'noReserve'],
  [FILE, 'advise', 'advice'],
  [ANONYMOUS, 'joinible', 'joinable'],
  [ANONYMOUS, 'peer', 'peers'],
])('in %j the unknown %s is refused, and %s is proposed', (base, unknown, meant) => {
  const error = thrown({ ...base, [unknown]: 1 });
  expect(error).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  expect(error['message']).toContain(`'options.${unknown}' is not an option: did you mean '${meant}'?`);
});

test.each([
  [FILE, 'joinable'],
  [FILE, 'peers'],
  [ANONYMOUS, 'file'],
  [ANONYMOUS, 'offset'],
  [ANONYMOUS, 'grow'],
])('%j does not take the other backing’s %s', (base, option) => {
  expect(thrown({ ...base, [option]: undefined })).toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
});

test('a name that is like nothing gets no proposal', () => {
  expect(thrown({ ...FILE, encoding: 'utf8' })['message']).not.toContain('did you mean');
});

test('the defaults: a file is read, anonymous memory is read and written, shared memory can be joined', () => {
  expect(checkOptions(FILE)).toStrictEqual({
    backing: 'file',
    common: {
      sharing: 'private',
      access: 'read',
      populate: false,
      lock: false,
      noReserve: false,
      advice: undefined,
      label: undefined,
      guarded: true,
    },
    file: '/x',
    offset: 0,
    length: undefined,
    grow: false,
    pastEnd: false,
    hugePages: false,
  });
  expect(checkOptions(ANONYMOUS)).toMatchObject({
    common: { access: 'readwrite' },
    joinable: true,
    peers: 'readwrite',
  });
  expect(checkOptions({ ...ANONYMOUS, sharing: 'private' })).toMatchObject({ joinable: false });
});

test('undefined is the same as not said', () => {
  const undefinedToo = {
    access: undefined,
    populate: undefined,
    lock: undefined,
    advice: undefined,
    label: undefined,
    length: undefined,
  };
  expect(checkOptions({ ...FILE, ...undefinedToo })).toStrictEqual(checkOptions(FILE));
});

test('whatever the options are, they are accepted or refused with a code', () => {
  const value = fc.oneof(
    fc.constantFrom('file', 'anonymous', 'private', 'shared', 'read', 'readwrite', 'onfault', 'hugetlb', 'random'),
    fc.anything({ withBigInt: true, withTypedArray: true, withDate: true, withNullPrototype: true }),
  );
  const names = [...Object.keys(FILE), 'access', 'offset', 'length', 'grow', 'lock', 'advice', 'hugePages', 'peers'];
  const options = fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value);
  const good = fc.constantFrom(FILE, ANONYMOUS, {});
  fc.assert(
    fc.property(good, options, (base, more) => {
      let code: unknown = 'ERR_NONE';
      try {
        checkOptions({ ...base, ...more });
      } catch (error) {
        ({ code } = error as { code?: unknown });
      }
      expect(code).toMatch(/^ERR_/);
    }),
  );
});
