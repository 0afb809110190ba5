import { createRequire } from 'node:module';
import { expect, test } from 'vitest';
import { native } from '../../lib/native.js';

test('the addon that was loaded was built from the sources as they are', () => {
  const now: unknown = createRequire(import.meta.url)('../../scripts/source-hash.cjs');
  expect(native.sourceHash, 'after a change in src/: npm run native, and npm run prebuilds before a commit').toBe(now);
});
