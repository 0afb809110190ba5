// node examples/scratch-buffer.mjs    a large zeroed scratch buffer that takes memory only where it is used
import assert from 'node:assert/strict';
import { mmap } from 'mmap-native';

const LIMIT = 2 ** 28;

// Which numbers below LIMIT are prime: one byte each, of which this run needs the first 16 MiB.
const scratch = mmap({ backing: 'anonymous', sharing: 'private', length: LIMIT, hugePages: true });
try {
  const needed = 2 ** 24;
  const composite = scratch.view(Uint8Array, 0, needed); // zeros: nothing has to be cleared
  let primes = 0;
  for (let n = 2; n < needed; n++) {
    if (composite[n] === 1) continue;
    primes++;
    for (let multiple = n * n; multiple < needed; multiple += n) composite[multiple] = 1;
  }
  assert.equal(primes, 1_077_871);

  const { pageSize, resident } = scratch.residencySync();
  const used = resident * pageSize;
  assert.ok(used >= needed && used < LIMIT / 2, `${used} bytes are in memory`);
  console.log(`${primes} primes below ${needed}; ${used / 2 ** 20} of ${LIMIT / 2 ** 20} MiB are in memory`);
} finally {
  await scratch.unmap();
}
