// For jest and vitest, which run it in realms of their own: two files like this one, in one process.
const { readFileSync } = await import('node:fs');
const { mmap } = await import('mmap-native');
const { wait } = await import('mmap-native/ipc');

const map = () => mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });

test('views are of the classes that a test sees', () => {
  const mapping = map();
  expect(mapping.buffer).toBeInstanceOf(ArrayBuffer);
  expect(mapping.bytes).toBeInstanceOf(Buffer);
  expect(mapping.bytes).toBeInstanceOf(Uint8Array);
  expect(mapping.view(Float32Array)).toBeInstanceOf(Float32Array);
  expect(mapping.view(DataView, 0, 8)).toBeInstanceOf(DataView);
  expect(mapping.view(Uint8Array, 0, 2)).toEqual(new Uint8Array(2));
  mapping.unmapSync();
  expect(mapping.unmapped).toBe(true);
});

test('errors are of the classes that a test sees', () => {
  expect(() => mmap({ backing: 'file', sharing: 'private', file: '/no/such/file' })).toThrow(/ENOENT/);
  expect(() => map().view(Int32Array, 1)).toThrow(TypeError);
  expect(() => map().view(Int32Array, 8192)).toThrow(RangeError);
  expect(() => mmap({})).toThrow(Error);
});

test('arguments of the classes that a test has', async () => {
  const mapping = map();
  expect(mapping.write(new Uint16Array([1, 2]))).toBe(4);
  expect(mapping.read(new Float64Array(1))).toBe(8);
  const file = new URL(`file://${process.env.MMAP_CASE_FILE}`);
  const bytes = new Uint8Array(Buffer.from(file.pathname));
  for (const path of [file, bytes])
    expect(mmap({ backing: 'file', sharing: 'private', file: path }).text()).toBe('mapped');
  const abort = new AbortController();
  const waiting = wait(mapping.view(Int32Array), 0, 2 ** 17 + 1, { signal: abort.signal, timeout: 30_000 });
  abort.abort(new Error('enough'));
  await expect(waiting).rejects.toThrow('enough');
});

test('the binary is loaded once, whoever loads it', () => {
  const loaded = readFileSync('/proc/self/maps', 'utf8').match(/r-xp .*mmap-native\.node$/gm);
  expect(loaded).toHaveLength(1);
});
