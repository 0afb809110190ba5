import { expect } from 'vitest';
import { type Mapping, mappings } from '../../lib/index.js';

/** Everything that a refused resize() must leave as it was. */
export const expectUnchanged = (mapping: Mapping, body: () => void, error: unknown): void => {
  const before = { info: mappings().map(({ address, length }) => [address, length]), buffer: mapping.buffer };
  const { length, bytes } = mapping;
  expect(body).toThrow(error);
  expect(mapping.length).toBe(length);
  expect(mapping.bytes).toBe(bytes);
  expect(mapping.buffer).toBe(before.buffer);
  expect(bytes).toHaveLength(length);
  expect(mappings().map((info) => [info.address, info.length])).toEqual(before.info);
};
