import { inspect } from 'node:util';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { describe, expect, test } from 'vitest';
import { attach, type Mapping, mappings, mmap } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';

const folder = tempDir();
const ANONYMOUS = { backing: 'anonymous', sharing: 'private', length: PAGE } as const;
const labels = (): (string | undefined)[] => mappings().map(({ label }) => label);

describe('a label', () => {
  test('is shown by mappings(), whole up to 63 bytes', () => {
    const longest = 'é'.repeat(31) + 'x';
    using one = mmap({ ...ANONYMOUS, label: longest });
    using none = mmap(ANONYMOUS);
    expect(new Set(labels())).toEqual(new Set([longest, undefined]));
    expect([one.label, none.label]).toEqual([longest, undefined]);
  });

  test('stays with a mapping that is resized, and with one that had to be decommitted', () => {
    const mapping = mmap({ ...ANONYMOUS, label: 'scratch' });
    mapping.resize(3 * PAGE);
    expect(labels()).toContain('scratch');
    const view = mapping.view(Uint8Array);
    mapping.unmapSync();
    expect(view).toHaveLength(0);
    expect(mappings().find(({ label }) => label === 'scratch')).toMatchObject({ decommitted: true });
  });

  test('goes along to whoever attaches in this process', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE, label: 'queue' });
    using other = attach(mapping.handle());
    expect(other.label).toBe('queue');
  });

  test('of a mapping that a worker made is seen from here', async () => {
    const library = new URL('../../dist/index.js', import.meta.url).href;
    const source = `
      const { parentPort } = require('node:worker_threads');
      import('${library}').then(({ mmap }) => {
        globalThis.kept = mmap({ backing: 'anonymous', sharing: 'private', length: 1, label: 'in a worker' });
        parentPort.postMessage('mapped');
        parentPort.once('message', () => {});
      });`;
    const worker = new Worker(source, { eval: true });
    try {
      await once(worker, 'message');
      expect(labels()).toContain('in a worker');
    } finally {
      await worker.terminate();
    }
  });
});

describe('util.inspect', () => {
  const shown = (mapping: Mapping, options = {}): string => inspect(mapping, { breakLength: Infinity, ...options });

  test('tells what a mapping of a file is', () => {
    const file = pagesOf(folder, 2);
    using mapping = mmap({ backing: 'file', sharing: 'shared', file, offset: 5, label: 'log' });
    expect(shown(mapping)).toBe(
      `Mapping { label: 'log', backing: 'file', sharing: 'shared', access: 'read', path: '${file}', offset: 5, length: ${2 * PAGE - 5} }`,
    );
    mapping.bytes[0] = 1;
    expect(shown(mapping)).toContain(', faultCount: 1 }');
  });

  test('tells what anonymous memory is, and that it is unmapped', () => {
    const mapping = mmap(ANONYMOUS);
    const what = "Mapping { backing: 'anonymous', sharing: 'private', access: 'readwrite'";
    expect(shown(mapping)).toBe(`${what}, length: ${PAGE} }`);
    mapping.unmapSync();
    expect(shown(mapping)).toBe(`${what}, unmapped: true }`);
  });

  test('keeps to the depth and the colors that were asked for', () => {
    using mapping = mmap(ANONYMOUS);
    expect(inspect([mapping], { depth: 0 })).toBe('[ [Mapping] ]');
    expect(shown(mapping, { colors: true })).toContain(`\u001B[33m${PAGE}\u001B[39m`);
  });

  test('touches no page, and makes no buffer', () => {
    using mapping = mmap({ ...ANONYMOUS, length: 16 * PAGE, advice: 'nohugepage' });
    shown(mapping);
    expect(mapping.residencySync().resident).toBe(0);
  });
});
