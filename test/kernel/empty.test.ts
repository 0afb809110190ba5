import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { mmap } from '../../lib/index.js';

const folder = mkdtempSync(join(tmpdir(), 'mmap-empty-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// lengths that are no multiple of 8: the buffer of a mapping begins on one, before the first byte
test.each([1, 5, 11, 2045, 4093])(
  'nothing is mapped at the end of a file of %i bytes, and no buffer reaches anything',
  (size) => {
    const file = join(folder, String(size));
    writeFileSync(file, Buffer.alloc(size, 'x'));
    using mapping = mmap({ backing: 'file', sharing: 'private', file, offset: size });
    expect(mapping.length).toBe(0);
    expect(mapping.buffer.byteLength).toBe(0);
    expect(mapping.bytes.buffer.byteLength).toBe(0);
    expect(mapping.view(Uint8Array).buffer.byteLength).toBe(0);
    expect(mapping.view(DataView, 0, 0).buffer.byteLength).toBe(0);
    expect(mapping.text()).toBe('');
    expect(mapping.read(Buffer.alloc(8))).toBe(0);
  },
);

test.each([1, 5, 4093])('a mapping from byte %i that shrinks to nothing leaves no buffer over anything', (offset) => {
  const file = join(folder, `shrink-${offset}`);
  writeFileSync(file, Buffer.alloc(8192, 'x'));
  using mapping = mmap({ backing: 'file', sharing: 'private', file, offset });
  mapping.resize(0);
  expect(mapping.buffer.byteLength).toBe(0);
  expect(mapping.bytes.length).toBe(0);
  mapping.resize(8192 - offset);
  expect(mapping.text({ length: 3 })).toBe('xxx');
});
