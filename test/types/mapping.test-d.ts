import { expectTypeOf, test } from 'vitest';
import { type Access, Mapping, type MappingHandle, type Residency } from '../../lib/index.js';

const mapping = {} as Mapping;

test('a view is what its constructor makes', () => {
  expectTypeOf(mapping.view(Float32Array)).toEqualTypeOf<Float32Array>();
  expectTypeOf(mapping.view(BigInt64Array, 8n, 16n)).toEqualTypeOf<BigInt64Array>();
  expectTypeOf(mapping.view(DataView, 1, 2)).toEqualTypeOf<DataView>();
  expectTypeOf(mapping.view(Buffer)).toExtend<Buffer>();
  expectTypeOf(mapping.buffer).toEqualTypeOf<ArrayBuffer>();
  expectTypeOf(mapping.bytes).toExtend<Uint8Array>();
});

test('a shared view is the same over a SharedArrayBuffer', () => {
  expectTypeOf(mapping.sharedView(Int32Array)).toEqualTypeOf<Int32Array>();
  expectTypeOf(mapping.sharedView(DataView)).toEqualTypeOf<DataView>();
  expectTypeOf(mapping.sharedBuffer).toEqualTypeOf<SharedArrayBuffer>();
});

test('what is no constructor of views', () => {
  expectTypeOf<Mapping['view']>().parameter(1).toEqualTypeOf<number | bigint | undefined>();
  // @ts-expect-error a string
  mapping.view('Uint8Array');
  // @ts-expect-error an offset is no string
  mapping.view(Uint8Array, '0');
});

test('the promise forms give promises, the Sync forms what they promise', () => {
  expectTypeOf(mapping.sync()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(mapping.syncSync()).toEqualTypeOf<void>();
  expectTypeOf(mapping.lock({ onFault: true })).toEqualTypeOf<Promise<void>>();
  expectTypeOf(mapping.populate({ write: true })).toEqualTypeOf<Promise<void>>();
  expectTypeOf(mapping.residency()).toEqualTypeOf<Promise<Residency>>();
  expectTypeOf(mapping.residencySync()).toEqualTypeOf<Residency>();
  expectTypeOf(mapping.unmap()).toEqualTypeOf<Promise<void>>();
  expectTypeOf(mapping.unmapSync()).toEqualTypeOf<void>();
  expectTypeOf(mapping.handle()).toEqualTypeOf<MappingHandle>();
  expectTypeOf(mapping.text()).toEqualTypeOf<string>();
  expectTypeOf(mapping.read(new DataView(new ArrayBuffer(1)))).toEqualTypeOf<number>();
});

test('it can be disposed of', () => {
  expectTypeOf<Mapping>().toExtend<Disposable & AsyncDisposable>();
});

test('options belong to their method', () => {
  expectTypeOf<Mapping['protect']>().parameter(0).toEqualTypeOf<Access>();
  // @ts-expect-error populate writes, sync does not
  void mapping.sync({ write: true });
  // @ts-expect-error only advise discards
  mapping.unlock({ discard: true });
  // @ts-expect-error no such advice
  mapping.advise('hwpoison');
  // @ts-expect-error nothing is executable
  mapping.protect('exec');
  // @ts-expect-error no such encoding
  mapping.text({}, 'utf9');
  // @ts-expect-error only memory is read into
  mapping.read('text');
});

test('nothing of it can be set, and only the library makes one', () => {
  expectTypeOf<Pick<Mapping, 'length' | 'access'>>().toEqualTypeOf<Readonly<Pick<Mapping, 'length' | 'access'>>>();
  // @ts-expect-error read only
  mapping.length = 1;
  // @ts-expect-error read only
  mapping.access = 'read';
  // @ts-expect-error not of no arguments
  void new Mapping();
});
