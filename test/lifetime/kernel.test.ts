import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { attach, type Mapping, mappings, mmap } from '../../lib/index.js';
import { descriptorsOf, pagesOf, PAGE, tempDir } from '../helpers/files.js';

const folder = tempDir();

interface Area {
  readonly start: number;
  readonly end: number;
  readonly perms: string;
  readonly path: string;
}

const areas = (): Area[] =>
  readFileSync('/proc/self/maps', 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [range = '', perms = '', , , , path = ''] = line.split(/\s+/);
      const [start = 0, end = 0] = range.split('-').map((text) => Number.parseInt(text, 16));
      return { start, end, perms, path };
    });

const areasOf = (path: string): Area[] => areas().filter((area) => area.path === path);

/** What the kernel has in a range of addresses. */
const areasAt = ({ start, end }: Area): Area[] => areas().filter((area) => area.start < end && area.end > start);

const only = <T>(list: readonly T[]): T => {
  expect(list).toHaveLength(1);
  return list[0] as T;
};

const shared = (path: string): Mapping => mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: path });

describe('unmap()', () => {
  test('gives the range back at once where JavaScript has seen no buffer', () => {
    const path = pagesOf(folder, 4);
    const mapping = shared(path);
    const area = only(areasOf(path));
    mapping.unmapSync();
    expect(areasAt(area)).toEqual([]);
    expect(mappings()).toEqual([]);
  });

  test('puts private anonymous memory in the place of a file that a view was made of', () => {
    const path = pagesOf(folder, 4);
    const mapping = shared(path);
    const { bytes, buffer } = mapping;
    const area = only(areasOf(path));
    mapping.unmapSync();
    expect(areasOf(path)).toEqual([]);
    const [left, ...more] = areasAt(area);
    expect(more).toEqual([]);
    expect(left).toMatchObject({ path: '' });
    expect(left?.perms).toMatch(/p$/);
    expect(only(mappings())).toMatchObject({ decommitted: true, smaps: { rss: 0 } });
    expect([bytes.length, buffer.byteLength]).toEqual([0, 0]);
  });

  test('closes the descriptor of shared memory that a view was made of', () => {
    const mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE });
    const view = mapping.view(Uint8Array);
    const { name } = mapping.handle();
    expect(descriptorsOf(`/memfd:${name} (deleted)`)).toHaveLength(1);
    mapping.unmapSync();
    expect(descriptorsOf(`/memfd:${name} (deleted)`)).toEqual([]);
    expect(view.length).toBe(0);
  });

  test('has let go of a large file when its promise is fulfilled', async () => {
    const path = pagesOf(folder, 1024);
    const mapping = shared(path);
    const { bytes } = mapping;
    const ended = mapping.unmap();
    expect(bytes.length).toBe(0);
    await ended;
    expect(areasOf(path)).toEqual([]);
  });

  test('of one of two that have joined leaves the other its pages', () => {
    const path = pagesOf(folder, 1);
    const first = shared(path);
    const second = attach(first.handle());
    expect(areasOf(path)).toHaveLength(1);
    first.unmapSync();
    expect(second.bytes[0]).toBe(97);
    expect(areasOf(path)).toHaveLength(1);
    second.unmapSync();
    expect(areasOf(path)).toEqual([]);
  });

  test('of a mapping of a descriptor leaves the descriptor', () => {
    const path = pagesOf(folder, 1);
    const fd = openSync(path, 'r+');
    mmap({ backing: 'file', sharing: 'shared', file: fd }).unmapSync();
    expect(readFileSync(fd)[0]).toBe(97);
    closeSync(fd);
  });
});

describe('resize()', () => {
  test('takes the pages along, and keeps the old range where a view was made of it', () => {
    const path = pagesOf(folder, 4);
    const mapping = mmap({ backing: 'file', sharing: 'shared', file: path, length: PAGE });
    const view = mapping.view(Uint8Array);
    const old = only(areasOf(path));
    mapping.resize(4 * PAGE);
    const now = only(areasOf(path));
    expect(now.end - now.start).toBe(4 * PAGE);
    expect(areasAt(old).every((area) => area.path === '')).toBe(true);
    expect(view.length).toBe(0);
    mapping.unmapSync();
  });
});

test('the addon stays mapped when the worker that loaded it has ended', async () => {
  const library = new URL('../../dist/index.js', import.meta.url).href;
  const addon = (): string[] => [...new Set(areas().flatMap(({ path }) => (path.endsWith('.node') ? [path] : [])))];
  const before = addon();
  const worker = new Worker(`import(${JSON.stringify(library)})`, { eval: true });
  expect(await once(worker, 'exit')).toEqual([0]);
  expect(addon()).toEqual(expect.arrayContaining(before));
  expect(addon()).not.toEqual([]);
});
