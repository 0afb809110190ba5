import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { allocZeroed, attach, type Mapping, mappings, mmap, type MmapOptions } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';

const file = pagesOf(tempDir(), 4);
const anonymous = (): Mapping => mmap({ backing: 'anonymous', sharing: 'private', length: 4 * PAGE });

/** The same options, with a count of how often each was read. */
const counted = <T extends object>(options: T): { options: T; reads: Record<string, number> } => {
  const reads: Record<string, number> = {};
  const counting = new Proxy(options, {
    get: (target, name, receiver): unknown => {
      reads[String(name)] = (reads[String(name)] ?? 0) + 1;
      return Reflect.get(target, name, receiver);
    },
  });
  return { options: counting, reads };
};

const each = (names: readonly string[]): Record<string, number> => Object.fromEntries(names.map((name) => [name, 1]));

test.each<MmapOptions>([
  { backing: 'file', sharing: 'private', file, offset: 1, length: 2 },
  { backing: 'anonymous', sharing: 'private', length: PAGE },
  { backing: 'anonymous', sharing: 'shared', length: PAGE },
])('mmap() reads each option once: $backing, $sharing', (given) => {
  const { options, reads } = counted(given);
  mmap(options).unmapSync();
  expect(Object.values(reads).every((count) => count === 1)).toBe(true);
  expect(Object.keys(reads)).toEqual(expect.arrayContaining(Object.keys(given)));
});

test.each<[string, (mapping: Mapping, options: object) => unknown, string[]]>([
  ['sync', async (mapping, options) => mapping.sync(options), ['offset', 'length', 'invalidate']],
  ['syncSync', (mapping, options) => mapping.syncSync(options), ['offset', 'length', 'invalidate']],
  ['advise', (mapping, options) => mapping.advise('random', options), ['offset', 'length', 'discard']],
  ['protect', (mapping, options) => mapping.protect('read', options), ['offset', 'length']],
  ['lock', async (mapping, options) => mapping.lock(options), ['offset', 'length', 'onFault']],
  ['lockSync', (mapping, options) => mapping.lockSync(options), ['offset', 'length', 'onFault']],
  ['unlock', (mapping, options) => mapping.unlock(options), ['offset', 'length']],
  ['residency', async (mapping, options) => mapping.residency(options), ['offset', 'length']],
  ['residencySync', (mapping, options) => mapping.residencySync(options), ['offset', 'length']],
  ['populate', async (mapping, options) => mapping.populate(options), ['offset', 'length', 'write']],
  ['populateSync', (mapping, options) => mapping.populateSync(options), ['offset', 'length', 'write']],
  ['read', (mapping, options) => mapping.read(Buffer.alloc(8), options), ['offset', 'length']],
  ['write', (mapping, options) => mapping.write(Buffer.alloc(8), options), ['offset', 'length']],
  ['text', (mapping, options) => mapping.text(options), ['offset', 'length']],
  ['resize', (mapping, options) => mapping.resize(PAGE, options), ['grow', 'file']],
])('%s() reads each option once, refuses others, and a getter that throws or unmaps', async (_name, call, names) => {
  using first = anonymous();
  const { options, reads } = counted({});
  await call(first, options);
  expect(reads).toEqual(each(names));

  using second = anonymous();
  const boom = new Error('boom');
  for (const name of names) {
    const thrower = Object.defineProperty({}, name, {
      enumerable: true,
      get: () => {
        throw boom;
      },
    });
    await expect((async () => call(second, thrower))()).rejects.toBe(boom);
  }
  await expect((async () => call(second, { ofset: 0 }))()).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_VALUE' });
  await expect((async () => call(second, null as never))()).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
  expect(second.text({ length: 1 })).toBe('\0');

  for (const name of names) {
    const victim = anonymous();
    const unmapping = Object.defineProperty({}, name, {
      enumerable: true,
      get: () => {
        victim.unmapSync();
      },
    });
    await expect((async () => call(victim, unmapping))()).rejects.toMatchObject({ code: 'ERR_INVALID_STATE' });
  }
});

test('a getter that unmaps in the middle of view() is too late, and finds the bytes of nobody else', () => {
  const mapping = anonymous();
  const Type = new Proxy(Uint8Array, {
    get: (target, name): unknown => {
      if (name === 'BYTES_PER_ELEMENT') mapping.unmapSync();
      return Reflect.get(target, name);
    },
  });
  expect(() => mapping.view(Type)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_STATE' }));
});

test('an option of mmap() that throws leaves no mapping behind', () => {
  const before = mappings().length;
  const boom = new Error('boom');
  for (const name of ['backing', 'sharing', 'access', 'file', 'offset', 'length', 'advice', 'lock', 'grow']) {
    const options = { backing: 'file', sharing: 'private', file, [name]: undefined };
    Object.defineProperty(options, name, {
      enumerable: true,
      get: () => {
        throw boom;
      },
    });
    expect(() => mmap(options as MmapOptions)).toThrow(boom);
  }
  expect(mappings()).toHaveLength(before);
  expect(readFileSync('/proc/self/maps', 'utf8')).not.toContain(file);
});

test('allocZeroed() reads each option once', () => {
  const { options, reads } = counted({ hugePages: false });
  expect(allocZeroed(PAGE, options)).toHaveLength(PAGE);
  expect(reads).toEqual(each(['hugePages', 'populate', 'noReserve']));
});

test('attach() and handle() read each property once', () => {
  using mapping = mmap({ backing: 'file', sharing: 'private', file });
  const forHandle = counted({});
  const plain = mapping.handle(forHandle.options);
  expect(forHandle.reads).toEqual({ inheritedFd: 1 });
  const { options, reads } = counted(plain);
  attach(options).unmapSync();
  expect(Object.values(reads).every((count) => count === 1)).toBe(true);
});
