import { open } from 'node:fs/promises';
import { expectTypeOf, test } from 'vitest';
import {
  allocZeroed,
  type AnonymousMappingOptions,
  attach,
  type FileMappingOptions,
  type MappableFile,
  type Mapping,
  type MappingHandle,
  mmap,
  type MmapOptions,
  type Sharing,
  supports,
} from '../../lib/index.js';

test('good options make a Mapping', async () => {
  expectTypeOf(mmap({ backing: 'file', sharing: 'private', file: '/x' })).toEqualTypeOf<Mapping>();
  mmap({ backing: 'file', sharing: 'shared', file: Buffer.from('/x'), access: 'readwrite', grow: true, length: 1n });
  mmap({ backing: 'file', sharing: 'shared', file: new URL('file:///x'), offset: 1n, hugePages: true });
  mmap({ backing: 'file', sharing: 'shared', file: 3, lock: 'onfault', advice: 'random' });
  mmap({ backing: 'file', sharing: 'shared', file: await open('/x') });
  mmap({ backing: 'anonymous', sharing: 'private', length: 1, hugePages: 'hugetlb', populate: true });
  mmap({ backing: 'anonymous', sharing: 'shared', length: 1, joinable: false });
  mmap({ backing: 'anonymous', sharing: 'shared', length: 1, peers: 'readonly' });
  mmap({ backing: 'file', sharing: 'private', file: '/x', offset: undefined, access: undefined });
});

test('neither coordinate has a default', () => {
  expectTypeOf<MmapOptions>().pick<'backing' | 'sharing'>().toEqualTypeOf<{
    readonly backing: 'file' | 'anonymous';
    readonly sharing: Sharing;
  }>();
  // @ts-expect-error backing is missing
  mmap({ sharing: 'private', file: '/x' });
  // @ts-expect-error sharing is missing
  mmap({ backing: 'file', file: '/x' });
  // @ts-expect-error sharing is missing
  mmap({ backing: 'anonymous', length: 1 });
  // @ts-expect-error no options at all
  mmap();
});

test('what one backing needs and the other does not know', () => {
  expectTypeOf<FileMappingOptions['file']>().toEqualTypeOf<MappableFile>();
  expectTypeOf<AnonymousMappingOptions['length']>().toEqualTypeOf<number | bigint>();
  // @ts-expect-error file is missing
  mmap({ backing: 'file', sharing: 'private' });
  // @ts-expect-error length is missing
  mmap({ backing: 'anonymous', sharing: 'private' });
  // @ts-expect-error anonymous memory has no file
  mmap({ backing: 'anonymous', sharing: 'private', length: 1, file: '/x' });
  // @ts-expect-error nor an offset
  mmap({ backing: 'anonymous', sharing: 'private', length: 1, offset: 1 });
  // @ts-expect-error nor does it grow
  mmap({ backing: 'anonymous', sharing: 'private', length: 1, grow: true });
  // @ts-expect-error a file cannot be joined by descriptor
  mmap({ backing: 'file', sharing: 'shared', file: '/x', joinable: true });
  // @ts-expect-error nor be sealed
  mmap({ backing: 'file', sharing: 'shared', file: '/x', peers: 'readonly' });
  // @ts-expect-error hugetlb pages are anonymous
  mmap({ backing: 'file', sharing: 'shared', file: '/x', hugePages: 'hugetlb' });
});

test('wrong words and kinds', () => {
  expectTypeOf<MmapOptions['access']>().toEqualTypeOf<'read' | 'readwrite' | undefined>();
  // @ts-expect-error no such backing
  mmap({ backing: 'memory', sharing: 'private', length: 1 });
  // @ts-expect-error no such sharing
  mmap({ backing: 'anonymous', sharing: 'public', length: 1 });
  // @ts-expect-error nothing is write-only
  mmap({ backing: 'anonymous', sharing: 'private', length: 1, access: 'write' });
  // @ts-expect-error a length is no string
  mmap({ backing: 'anonymous', sharing: 'private', length: '1' });
  // @ts-expect-error an unknown option
  mmap({ backing: 'file', sharing: 'private', file: '/x', lenght: 1 });
  // @ts-expect-error not spelled as the kernel's constant
  mmap({ backing: 'file', sharing: 'private', file: '/x', advice: 'MADV_RANDOM' });
  // @ts-expect-error null is not undefined
  mmap({ backing: 'file', sharing: 'private', file: '/x', offset: null });
  // @ts-expect-error no file
  mmap({ backing: 'file', sharing: 'private', file: {} });
});

test('options are read, never written', () => {
  expectTypeOf<FileMappingOptions>().toEqualTypeOf<Readonly<FileMappingOptions>>();
});

test('attach, allocZeroed and supports', () => {
  expectTypeOf(attach).parameters.toEqualTypeOf<[MappingHandle]>();
  expectTypeOf(attach).returns.toEqualTypeOf<Mapping>();
  expectTypeOf(allocZeroed(1n, { hugePages: true })).toEqualTypeOf<Buffer>();
  expectTypeOf(supports('collapse')).toEqualTypeOf<boolean>();
  // @ts-expect-error no such feature
  supports('MADV_COLD');
  // @ts-expect-error transparent or not: no pool
  allocZeroed(1, { hugePages: 'hugetlb' });
});

test('a handle is told apart by its kind', () => {
  const handle = {} as MappingHandle;
  // @ts-expect-error only some kinds have a descriptor
  void handle.fd;
  expectTypeOf<Extract<MappingHandle, { kind: 'memfd' }>['fd']>().toEqualTypeOf<number>();
  expectTypeOf<Extract<MappingHandle, { kind: 'file' }>['path']>().toEqualTypeOf<string>();
});
