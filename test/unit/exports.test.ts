import { expect, test } from 'vitest';
import * as library from '../../lib/index.js';

test('these names are public, and no others', () => {
  expect(Object.keys(library).toSorted()).toEqual([
    'Mapping',
    'allocZeroed',
    'attach',
    'mappings',
    'mmap',
    'supports',
    'unlink',
  ]);
});

test('a Mapping has these members, and no others', () => {
  expect(Object.getOwnPropertyNames(library.Mapping.prototype).toSorted()).toEqual([
    'access',
    'address',
    'advise',
    'backing',
    'buffer',
    'bytes',
    'constructor',
    'faultCount',
    'faults',
    'fd',
    'handle',
    'label',
    'length',
    'lock',
    'lockSync',
    'off',
    'offset',
    'on',
    'populate',
    'populateSync',
    'protect',
    'read',
    'refresh',
    'refreshSync',
    'residency',
    'residencySync',
    'resize',
    'sharedBuffer',
    'sharedView',
    'sharing',
    'sync',
    'syncSync',
    'text',
    'unlock',
    'unmap',
    'unmapSync',
    'unmapped',
    'verify',
    'view',
    'write',
  ]);
});

test('no property of a mapping can be set', () => {
  using mapping = library.mmap({ backing: 'anonymous', sharing: 'private', length: 1 });
  const names = ['length', 'offset', 'access', 'buffer', 'bytes', 'unmapped'];
  expect(names.filter((name) => Reflect.set(mapping, name, 0))).toEqual([]);
  expect(mapping.length).toBe(1);
});
