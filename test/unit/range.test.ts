import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkRange, toBytes } from '../../lib/range.js';

const LARGEST = 2n ** 53n - 1n;
const OF = ['offset', 'length'] as const;
const coded = (name: string, code: string): unknown => expect.objectContaining({ name, code });
const RANGE_ERROR = coded('RangeError', 'ERR_OUT_OF_RANGE');
const TYPE_ERROR = coded('TypeError', 'ERR_INVALID_ARG_TYPE');

/** What was thrown, or the value. */
const outcome = (body: () => unknown): unknown => {
  try {
    return body();
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

const anyNumber = fc.oneof(
  fc.double(),
  fc.maxSafeInteger(),
  fc.nat(),
  fc.constantFrom(0, -0, 1, -1, 2 ** 53 - 1, 2 ** 53, 2 ** 53 + 2, 2 ** 31, 2 ** 32, 2 ** 63, Number.NaN, 0.5),
);
const anyBigInt = fc.oneof(
  fc.bigInt(),
  fc.bigInt({ min: LARGEST - 2n, max: LARGEST + 2n }),
  fc.bigInt({ min: -2n, max: 2n }),
);

test('a number is taken if it is a whole number of bytes that a double holds exactly, and as it is', () => {
  fc.assert(
    fc.property(anyNumber, (value) => {
      const good = Number.isInteger(value) && !Object.is(value, -0) && value >= 0 && BigInt(value) <= LARGEST;
      expect(outcome(() => toBytes(value, 'x'))).toBe(good ? value : 'ERR_OUT_OF_RANGE');
    }),
  );
});

test('a BigInt is taken from 0 to 2^53 - 1, and never wraps around', () => {
  fc.assert(
    fc.property(anyBigInt, (value) => {
      const good = value >= 0n && value <= LARGEST;
      expect(outcome(() => toBytes(value, 'x'))).toBe(good ? Number(value) : 'ERR_OUT_OF_RANGE');
    }),
  );
});

test.each([
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  -1,
  0.5,
  4096.000_1,
  2 ** 53,
  -1n,
  2n ** 53n,
  2n ** 64n,
])('%s is no number of bytes', (value) => {
  expect(() => toBytes(value, 'length')).toThrow(RANGE_ERROR);
});

test.each([
  [null],
  ['4096'],
  [true],
  [[4096]],
  [{ valueOf: () => 4096 }],
  [new Date(4096)],
  [() => 4096],
  [Symbol('4096')],
])('%s is not coerced to a number of bytes', (value) => {
  expect(() => toBytes(value, 'length')).toThrow(TYPE_ERROR);
});

test('a range is inside the total exactly where exact arithmetic says so', () => {
  const bytes = fc.oneof(fc.nat(20), fc.maxSafeInteger().map(Math.abs), fc.constantFrom(2 ** 53 - 1, 2 ** 32));
  const maybe = fc.option(fc.oneof(bytes, bytes.map(BigInt)), { nil: undefined });
  fc.assert(
    fc.property(maybe, maybe, bytes, (offset, length, total) => {
      const from = BigInt(offset ?? 0);
      const count = length === undefined ? BigInt(total) - from : BigInt(length);
      const inside = from <= BigInt(total) && from + count <= BigInt(total);
      const expected = inside ? { offset: Number(from), length: Number(count) } : 'ERR_OUT_OF_RANGE';
      expect(outcome(() => checkRange(offset, length, total, OF))).toStrictEqual(expected);
    }),
  );
});

test('an offset and a length whose sum is beyond 2^53 do not come back round', () => {
  const huge = 2 ** 53 - 1;
  expect(() => checkRange(huge, huge, huge, OF)).toThrow(RANGE_ERROR);
  expect(() => checkRange(huge, 1, huge, OF)).toThrow(RANGE_ERROR);
  expect(checkRange(huge, 0, huge, OF)).toStrictEqual({ offset: huge, length: 0 });
});

test('an error of a range names the argument, what it may be, and what it was', () => {
  expect(() => checkRange(5, 6, 10, OF)).toThrow(
    'The value of "length" is out of range. It must be >= 0 && <= 5. Received 6',
  );
  expect(() => checkRange(11n, undefined, 10, OF)).toThrow(
    'The value of "offset" is out of range. It must be >= 0 && <= 10. Received 11n',
  );
});
