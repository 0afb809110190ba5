import { describe, expect, test } from 'vitest';
import { allocZeroed, type Feature, mappings, mmap, supports } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';
import { smaps } from '../helpers/smaps.js';

const folder = tempDir();

const outcome = (body: () => unknown): unknown => {
  try {
    body();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
  return 'works';
};

describe('mappings()', () => {
  test('lists every live mapping, newest first, and none that is gone', () => {
    const before = mappings().length;
    const first = mmap({ backing: 'anonymous', sharing: 'private', length: 3 * PAGE });
    const second = mmap({ backing: 'anonymous', sharing: 'shared', length: 5 });
    expect(
      mappings()
        .map(({ length }) => length)
        .slice(0, 2),
    ).toEqual([5, 3 * PAGE]);
    first.unmapSync();
    expect(mappings()).toHaveLength(before + 1);
    second.unmapSync();
    expect(mappings()).toHaveLength(before);
  });

  test('says what each is, and what the kernel’s smaps say', () => {
    const file = pagesOf(folder, 4);
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, offset: 5000, length: 6000 });
    mapping.bytes.fill(1);
    const [info] = mappings();
    expect(info).toMatchObject({
      length: 6000,
      offset: 5000,
      backing: 'file',
      sharing: 'shared',
      access: 'readwrite',
      decommitted: false,
    });
    const area = smaps(Number(info?.address));
    expect(Number(info?.address)).toBe(area.start + (5000 % PAGE));
    expect(info?.smaps).toMatchObject({
      size: 2 * PAGE,
      rss: area.bytes('Rss'),
      pss: area.bytes('Pss'),
      anonymous: 0,
      locked: 0,
      vmFlags: area.flags,
      maps: [expect.stringContaining(file)],
    });
    expect(info?.smaps.rss).toBe(2 * PAGE);
    const dirty = (info?.smaps.sharedDirty ?? 0) + (info?.smaps.privateDirty ?? 0);
    expect(dirty).toBe(area.bytes('Shared_Dirty') + area.bytes('Private_Dirty'));
    expect(dirty).toBe(2 * PAGE);
  });

  test('a mapping whose parts differ has a line for each', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', access: 'readwrite', file: pagesOf(folder, 3) });
    mapping.protect('read', { offset: PAGE, length: PAGE });
    expect(mappings()[0]?.smaps.maps.map((line) => line.split(' ')[1])).toEqual(['rw-p', 'r--p', 'rw-p']);
  });

  test.each([
    [{ backing: 'anonymous', sharing: 'private', length: 1 }, 'anonymous', 'private', 'readwrite'],
    [{ backing: 'anonymous', sharing: 'shared', length: 1, access: 'read' }, 'anonymous', 'shared', 'read'],
    [{ backing: 'anonymous', sharing: 'shared', length: 1, joinable: false }, 'anonymous', 'shared', 'readwrite'],
    [{ backing: 'file', sharing: 'private', file: '/proc/self/exe' }, 'file', 'private', 'read'],
  ] as const)('%j', (options, backing, sharing, access) => {
    using mapping = mmap(options);
    expect(mapping).toMatchObject({ backing, sharing, access, unmapped: false });
    expect(mappings()[0]).toMatchObject({ backing, sharing, access });
  });
});

describe('allocZeroed()', () => {
  test('is a Buffer of zeros over private anonymous memory', () => {
    const buffer = allocZeroed(100_000);
    expect(Buffer.isBuffer(buffer)).toBe(true);
    expect(buffer).toHaveLength(100_000);
    expect(buffer.every((byte) => byte === 0)).toBe(true);
    expect(mappings()[0]).toMatchObject({ length: 100_000, backing: 'anonymous', sharing: 'private' });
    buffer.fill(1);
    expect(buffer.buffer.byteLength).toBe(100_000);
  });

  test('its options are the kernel’s', () => {
    const populated = allocZeroed(8n * 4096n, { populate: true, noReserve: true });
    expect(populated).toHaveLength(8 * PAGE);
    expect(smaps(Number(mappings()[0]?.address)).flags).toContain('nr');
    expect(mappings()[0]?.smaps.rss).toBe(8 * PAGE);
    const huge = allocZeroed(8 * PAGE, { hugePages: true });
    expect(smaps(Number(mappings()[0]?.address)).flags).toContain('hg');
    expect(huge).toHaveLength(8 * PAGE);
  });

  test('of nothing is an empty Buffer', () => {
    expect(allocZeroed(0)).toHaveLength(0);
  });

  test.each([
    [-1, undefined, 'ERR_OUT_OF_RANGE'],
    ['1', undefined, 'ERR_INVALID_ARG_TYPE'],
    [undefined, undefined, 'ERR_INVALID_ARG_TYPE'],
    [1, null, 'ERR_INVALID_ARG_TYPE'],
    [1, { hugePages: 'hugetlb' }, 'ERR_INVALID_ARG_TYPE'],
    [1, { hugePage: true }, 'ERR_INVALID_ARG_VALUE'],
    [2 ** 52, undefined, 'ENOMEM'],
  ])('%s, %j is %s', (length, options, code) => {
    expect(() => allocZeroed(length as number, options as object)).toThrow(expect.objectContaining({ code }));
  });
});

describe('huge pages', () => {
  test('hugePages: true gets them from the kernel where it has them', () => {
    const length = 8 * 2 ** 20;
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length, hugePages: true });
    mapping.populateSync();
    const [info] = mappings();
    expect(info?.smaps.vmFlags).toContain('hg');
    expect(info?.smaps.rss).toBe(length);
  });

  test('hugetlb without a pool is an error of mmap(2), and leaves nothing', () => {
    const before = mappings().length;
    for (const sharing of ['private', 'shared'] as const) {
      // more than any pool has
      const ask = (): unknown => mmap({ backing: 'anonymous', sharing, length: 2 ** 44, hugePages: 'hugetlb' });
      expect(ask).toThrow(expect.objectContaining({ code: expect.stringMatching(/^E(NOMEM|INVAL)$/) as unknown }));
    }
    expect(mappings()).toHaveLength(before);
  });

  test('noReserve is MAP_NORESERVE', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 2 ** 40, noReserve: true });
    expect(mappings()[0]?.smaps.vmFlags).toContain('nr');
    expect(mapping.view(Uint8Array, 2 ** 39, 1)[0]).toBe(0);
  });
});

describe('supports()', () => {
  test('tells what the kernel says of an advice that it is given', () => {
    for (const advice of ['normal', 'random', 'willneed', 'dontneed', 'dontfork', 'dontdump'] as const)
      expect([advice, supports(advice)]).toEqual([advice, true]);
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: PAGE });
    for (const advice of ['cold', 'pageout', 'wipeonfork', 'mergeable', 'hugepage'] as const) {
      const works = (): boolean => {
        try {
          mapping.advise(advice);
        } catch (error) {
          return (error as { code: string }).code !== 'EINVAL';
        }
        return true;
      };
      expect([advice, supports(advice)]).toEqual([advice, works()]);
    }
  });

  test('populate and sharedBuffer are answered by what they do', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: PAGE });
    expect(outcome(() => mapping.populateSync())).toBe(supports('populate') ? 'works' : 'EINVAL');
    const shared = supports('sharedBuffer') ? 'works' : 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM';
    expect(outcome(() => mapping.sharedBuffer)).toBe(shared);
    expect(outcome(() => mapping.sharedView(Uint8Array))).toBe(shared);
  });

  test.each(['toString', 'hwpoison', '', null, undefined, 4])('%s is no feature', (feature) => {
    expect(() => supports(feature as Feature)).toThrow(expect.objectContaining({ code: 'ERR_INVALID_ARG_VALUE' }));
  });
});
