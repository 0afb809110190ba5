// What is left where a runtime allows no ArrayBuffer over memory that is not its own.
import assert from 'node:assert/strict';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { allocZeroed, attach, mmap, mappings } from 'mmap-native';

const refused = {
  code: 'ERR_FEATURE_UNAVAILABLE_ON_PLATFORM',
  message: /^An ArrayBuffer over mapped memory is not available here\..*use read\(\), write\(\) and text\(\)$/,
};
const file = join(process.env.MMAP_CASE_DIR, 'without-buffers');
writeFileSync(file, Buffer.alloc(8192, 'x'));
const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });

mapping.on('fault', () => undefined);

assert.throws(() => mapping.buffer, refused);
assert.throws(() => mapping.bytes, refused);
assert.throws(() => mapping.view(Int32Array, 0, 8), refused);
assert.throws(() => allocZeroed(4096), refused);

assert.equal(mapping.write(Buffer.from('written'), { offset: 3 }), 7);
const copy = Buffer.alloc(10);
assert.equal(mapping.read(copy), 10);
assert.equal(copy.toString(), 'xxxwritten');
assert.equal(mapping.text({ offset: 3, length: 7 }), 'written');
const joined = attach(mapping.handle());
assert.equal(joined.text({ length: 4 }), 'xxxw');
joined.unmapSync();
await mapping.sync();
assert.equal(readFileSync(file, 'latin1').slice(0, 10), 'xxxwritten');
assert.equal(mapping.faultCount, 0);
assert.equal((await mapping.residency()).pages, 2);
truncateSync(file, 4096);
assert.throws(() => mapping.read(copy, { offset: 4096 }), { code: 'EFAULT' });
await mapping.unmap();
assert.equal(mapping.unmapped, true);
assert.equal(
  mappings().some(({ length }) => length === 8192),
  false,
);
console.log('works');
