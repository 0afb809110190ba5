import { readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { mappings } from '../../lib/index.js';
import { mmapNative, reported } from './terminal.js';

interface Report {
  readonly size: number;
  readonly rounds: number;
  readonly results: readonly {
    readonly task: string;
    readonly unit: string;
    readonly ways: readonly { readonly name: string; readonly median: number; readonly ratio: number }[];
  }[];
}

test('measures each task the ordinary way and with a mapping, and leaves nothing behind', async () => {
  const before = readdirSync(tmpdir());
  const { code, size, rounds, results } = await reported<Report>('bench', '--size', '1');
  expect([code, size, rounds]).toEqual([0, 2 ** 20, 5]);
  expect(results).toHaveLength(4);
  for (const { task, ways } of results) {
    expect(ways.length, task).toBeGreaterThanOrEqual(2);
    for (const { name, median, ratio } of ways) {
      expect(median, name).toBeGreaterThan(0);
      expect(ratio, name).toBeCloseTo((ways[0]?.median ?? 0) / median, 6);
    }
  }
  expect(
    readdirSync(tmpdir()).filter((name) => !before.includes(name) && name.startsWith('mmap-native-bench')),
  ).toEqual([]);
  expect(mappings().every(({ decommitted }) => decommitted)).toBe(true);
});

test('says for people what is faster and what is slower', async () => {
  const { out } = await mmapNative('bench', '--size', '1');
  expect(out).toMatch(/times as (?:fast|slow)/);
  expect(out).toContain('Medians of 5 rounds');
});
