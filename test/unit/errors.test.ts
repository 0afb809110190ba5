import { readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import { fromNative, invalidArgType, invalidArgValue, systemError, withName } from '../../lib/errors.js';
import { Mapping, mmap } from '../../lib/index.js';
import { PAGE } from '../helpers/files.js';

const source = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

const thrown = (body: () => unknown): Record<string, unknown> & Error => {
  try {
    body();
  } catch (error) {
    return error as Record<string, unknown> & Error;
  }
  throw new Error('did not throw');
};

describe('an error of a system call has the shape of one of node:fs', () => {
  test('of a path', () => {
    const error = thrown(() => mmap({ backing: 'file', sharing: 'private', file: '/nowhere/at all' }));
    const theirs = thrown(() => readFileSync('/nowhere/at all'));
    expect(error.constructor).toBe(theirs.constructor);
    expect({ errno: error['errno'], code: error['code'], syscall: error['syscall'], path: error['path'] }).toEqual({
      ...(theirs as object),
    });
    expect(Object.keys(error).toSorted()).toEqual(Object.keys(theirs).toSorted());
    expect(error.message).toBe(theirs.message);
  });

  test('of no path', () => {
    const error = systemError(-12, 'mmap');
    expect({ ...error }).toStrictEqual({ errno: -12, code: 'ENOMEM', syscall: 'mmap' });
    expect(error.message).toBe('ENOMEM: not enough memory, mmap');
  });

  test('of bytes as a path', () => {
    const file = Buffer.from('/nowhere');
    const error = thrown(() => mmap({ backing: 'file', sharing: 'private', file }));
    expect(error).toMatchObject({ code: 'ENOENT', path: file });
    expect(error.message).toContain("open '/nowhere'");
  });

  test('an errno without a name keeps its number', () => {
    expect(systemError(-4000, 'mmap')).toMatchObject({ errno: -4000, code: 'E4000' });
  });

  test('the name of a flag goes into an error of the kernel, and not into others', () => {
    expect(String(withName(systemError(-22, 'madvise'), 'MADV_COLD'))).toBe(
      "Error: EINVAL: invalid argument, madvise 'MADV_COLD'",
    );
    const other = new TypeError('no');
    expect(withName(other, 'MADV_COLD')).toBe(other);
    expect(other.message).toBe('no');
  });
});

test.each([
  ['string', "Received type string ('x')"],
  ['bigint', 'Received type bigint (1n)'],
  ['null', 'Received null'],
  ['undefined', 'Received undefined'],
  ['function', 'Received function mmap'],
  ['instance', 'Received an instance of Map'],
  ['bare', 'Received [Object: null prototype]'],
])('what was received is said as Node says it: %s', (kind, text) => {
  const values: Record<string, unknown> = {
    string: 'x',
    bigint: 1n,
    null: null,
    undefined,
    function: mmap,
    instance: new Map(),
    bare: Object.create(null),
  };
  expect(invalidArgType('options', 'of type object', values[kind]).message).toContain(text);
});

test('an argument is an argument, and a property a property', () => {
  expect(invalidArgValue('advice', 'is wrong', 1).message).toContain("The argument 'advice'");
  expect(invalidArgValue('options.lock', 'is wrong', 1).message).toContain("The property 'options.lock'");
});

test('every reason that native code can give has a sentence', () => {
  const reasons = [...source('src/core/result.h').matchAll(/char\* k\w+ = "([\w-]+)"/g)].map(([, word]) => word ?? '');
  expect(reasons.length).toBeGreaterThan(9);
  for (const reason of reasons) {
    const error = fromNative(-22, 'mmap', reason, 4096, '/x') as Error & { code: string };
    expect([reason, error.code, error.message]).toEqual([
      reason,
      expect.stringMatching(/^E/),
      expect.stringMatching(/.{20}/),
    ]);
  }
});

test('the limit that an ENOMEM speaks of is named with its number', () => {
  expect(fromNative(-12, 'mmap', 'map-limit', 65_530, undefined).message).toMatch(/65530 .*vm\.max_map_count/);
});

test('only mmap() makes mappings', () => {
  const Constructor = Mapping as unknown as new (...given: unknown[]) => Mapping;
  for (const given of [[], [Symbol('Mapping')], [{}, {}, {}, 0, PAGE, PAGE]]) {
    const error = thrown(() => new Constructor(...given));
    expect(error).toMatchObject({ name: 'TypeError', code: 'ERR_ILLEGAL_CONSTRUCTOR' });
  }
});

test('docs/errors.md has every code, and no other', () => {
  const declared = /type ErrorCode =([^;]+);/.exec(source('lib/errors.ts'))?.[1]?.match(/ERR_\w+/g) ?? [];
  const documented = [...source('docs/errors.md').matchAll(/^\| *`(E\w+)`/gm)].map(([, code]) => code ?? '');
  expect(declared.length).toBeGreaterThan(5);
  expect(documented.filter((code) => code.startsWith('ERR_')).toSorted()).toEqual([...declared].toSorted());
  const errnos = [...Object.keys(constants.errno), 'EHWPOISON'];
  expect(errnos).toEqual(expect.arrayContaining(documented.filter((code) => !code.startsWith('ERR_'))));
  expect(new Set(documented).size).toBe(documented.length);
});
