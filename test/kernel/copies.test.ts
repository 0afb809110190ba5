import { readFileSync, truncateSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mmap } from '../../lib/index.js';
import { PAGE, pagesOf, tempDir, tempFile } from '../helpers/files.js';

const folder = tempDir();
const coded = (code: string): unknown => expect.objectContaining({ code });
const EFAULT_READ: unknown = expect.objectContaining({ code: 'EFAULT', syscall: 'process_vm_readv', errno: -14 });

describe('read()', () => {
  test('fills what it is given, from its start, and touches nothing else', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file: tempFile(folder, '0123456789'), offset: 1 });
    const into = Buffer.alloc(8, '.');
    expect(mapping.read(into.subarray(2, 6), { offset: 3 })).toBe(4);
    expect(into.toString()).toBe('..4567..');
    expect(mapping.read(into, { offset: 7 })).toBe(2);
    expect(into.toString()).toBe('894567..');
    expect(mapping.read(into, { offset: 0, length: 1 })).toBe(1);
    expect(into.toString()).toBe('194567..');
  });

  test.each([Uint8Array, Int16Array, Float64Array, BigUint64Array])('takes any view: %s', (Type) => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file: tempFile(folder, Buffer.alloc(32, 7)) });
    const into = new Type(new ArrayBuffer(32), 8, 1);
    expect(mapping.read(into)).toBe(Type.BYTES_PER_ELEMENT);
    expect([...new Uint8Array(into.buffer)].filter((byte) => byte === 7)).toHaveLength(Type.BYTES_PER_ELEMENT);
    expect(mapping.read(new DataView(into.buffer, 1, 3))).toBe(3);
  });

  test('refuses more than fits, more than there is, and what is no memory', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 10 });
    expect(() => mapping.read(Buffer.alloc(4), { length: 5 })).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => mapping.read(Buffer.alloc(40), { offset: 5, length: 6 })).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => mapping.read(Buffer.alloc(1), { offset: 11 })).toThrow(coded('ERR_OUT_OF_RANGE'));
    for (const wrong of [null, undefined, 'text', [], {}, new ArrayBuffer(4), 5])
      expect(() => mapping.read(wrong as Buffer)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(mapping.read(Buffer.alloc(40))).toBe(10);
    expect(mapping.read(Buffer.alloc(0))).toBe(0);
  });

  test('of memory that was moved away copies nothing', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 10 });
    const into = new Uint8Array(8);
    structuredClone(into.buffer, { transfer: [into.buffer] });
    expect(mapping.read(into)).toBe(0);
  });
});

describe('write()', () => {
  test('writes all of what it is given, at the offset, and nothing else', () => {
    const file = tempFile(folder, '..........');
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, offset: 1 });
    expect(mapping.write(Buffer.from('abc'), { offset: 2 })).toBe(3);
    expect(mapping.write(Buffer.from('xyz'), { offset: 6, length: 2 })).toBe(2);
    expect(readFileSync(file, 'latin1')).toBe('...abc.xy.');
  });

  test('refuses what does not fit, and then has written nothing', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 10 });
    expect(() => mapping.write(Buffer.alloc(11, 1))).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => mapping.write(Buffer.alloc(5, 1), { offset: 6 })).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => mapping.write(Buffer.alloc(2, 1), { length: 3 })).toThrow(coded('ERR_OUT_OF_RANGE'));
    expect(() => mapping.write('text' as unknown as Buffer)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    expect(mapping.text()).toBe('\0'.repeat(10));
  });

  test('into a mapping that may only be read is EACCES, and the file is as it was', () => {
    const file = pagesOf(folder, 1);
    for (const sharing of ['private', 'shared'] as const) {
      using mapping = mmap({ backing: 'file', sharing, file });
      expect(() => mapping.write(Buffer.from('x'))).toThrow(
        expect.objectContaining({ code: 'EACCES', syscall: 'process_vm_writev', errno: -13 }),
      );
    }
    expect(readFileSync(file, 'latin1')).toBe('a'.repeat(PAGE));
  });

  test('from one part of a mapping to another, through its own bytes', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 2 * PAGE });
    mapping.bytes.write('source');
    expect(mapping.write(mapping.bytes.subarray(0, 6), { offset: PAGE })).toBe(6);
    expect(mapping.read(mapping.bytes.subarray(100, 106), { offset: PAGE })).toBe(6);
    expect(mapping.text({ offset: 100, length: 6 })).toBe('source');
  });
});

describe('text()', () => {
  const file = tempFile(folder, 'grüße, 世界');

  test('decodes a range of bytes, in any encoding', () => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    expect(mapping.text()).toBe('grüße, 世界');
    expect(mapping.text({ offset: 2, length: 2 })).toBe('ü');
    expect(mapping.text({ offset: 2, length: 2 }, 'hex')).toBe('c3bc');
    expect(mapping.text({ offset: 2, length: 2 }, 'latin1')).toBe('Ã¼');
    expect(mapping.text({ offset: 2, length: 0 })).toBe('');
  });

  test.each(['utf9', '', 5, null, {}])('refuses the encoding %j', (encoding) => {
    using mapping = mmap({ backing: 'file', sharing: 'private', file });
    expect(() => mapping.text({}, encoding as BufferEncoding)).toThrow(coded('ERR_INVALID_ARG_VALUE'));
  });

  test('is a copy: a later write does not change it', () => {
    using mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: 5 });
    mapping.bytes.write('first');
    const text = mapping.text();
    mapping.bytes.write('later');
    expect(text).toBe('first');
  });
});

describe.each(['private', 'shared'] as const)('a %s file that was cut under its mapping', (sharing) => {
  const cut = (to: number): ReturnType<typeof mmap> => {
    const file = pagesOf(folder, 4);
    const mapping = mmap({ backing: 'file', sharing, access: 'readwrite', file });
    truncateSync(file, to);
    return mapping;
  };

  test('read() copies up to the last page that is left, and says how much that was', () => {
    using mapping = cut(PAGE + 100);
    const into = Buffer.alloc(4 * PAGE, '.');
    expect(mapping.read(into)).toBe(2 * PAGE);
    expect(into.subarray(0, PAGE + 100).toString()).toBe('a'.repeat(PAGE) + 'b'.repeat(100));
    expect(into.subarray(PAGE + 100, 2 * PAGE).every((byte) => byte === 0)).toBe(true);
    expect(into.subarray(2 * PAGE).every((byte) => byte === 46)).toBe(true);
  });

  test('read() of nothing that is left is EFAULT, not a signal', () => {
    using mapping = cut(PAGE);
    expect(() => mapping.read(Buffer.alloc(10), { offset: 2 * PAGE })).toThrow(EFAULT_READ);
  });

  test('write() copies up to the last page that is left, and is EFAULT behind it', () => {
    using mapping = cut(PAGE);
    expect(mapping.write(Buffer.alloc(2 * PAGE, 'x'), { offset: PAGE / 2 })).toBe(PAGE / 2);
    expect(() => mapping.write(Buffer.from('x'), { offset: PAGE })).toThrow(coded('EFAULT'));
  });

  test('text() is whole or an error that says how much there was', () => {
    using mapping = cut(PAGE);
    expect(mapping.text({ length: PAGE })).toBe('a'.repeat(PAGE));
    expect(() => mapping.text({ length: PAGE + 1 })).toThrow(EFAULT_READ);
    expect(() => mapping.text({ length: PAGE + 1 })).toThrow(`${PAGE} of ${PAGE + 1} bytes`);
    expect(() => mapping.text({ offset: PAGE, length: 1 })).toThrow(EFAULT_READ);
  });
});
