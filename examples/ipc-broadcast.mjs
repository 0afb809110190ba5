// node examples/ipc-broadcast.mjs    prices that one process writes and many follow, who can do nothing but read
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { attach, mmap } from 'mmap-native';
import { notify, wait } from 'mmap-native/ipc';

const READERS = 3;
const UPDATES = 1000;
const PRICES = 100;

// A word that is odd while the prices change, and the prices: a reader that saw the word change reads again.
const VERSION = 0;
const FROM = 8;

if (process.argv[2] === undefined) {
  // sealed: nobody but this process can ever write to it
  const memory = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096, peers: 'readonly' });
  const words = memory.view(Int32Array, 0, 8);
  const prices = memory.view(Int32Array, FROM, 4 * PRICES);
  const readers = Array.from({ length: READERS }, () => fork(process.argv[1], [JSON.stringify(memory.handle())]));
  await Promise.all(readers.map((reader) => once(reader, 'message')));
  for (let update = 1; update <= UPDATES; update++) {
    Atomics.add(words, VERSION, 1);
    for (let i = 0; i < PRICES; i++) Atomics.store(prices, i, update);
    Atomics.add(words, VERSION, 1);
    notify(words, VERSION);
    if (update % 100 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
  const ends = await Promise.all(readers.map((reader) => once(reader, 'exit')));
  assert.ok(ends.every(([code]) => code === 0));
  console.log(`${READERS} readers followed ${UPDATES} updates, and saw no half of one`);
} else {
  const memory = attach(JSON.parse(process.argv[2]));
  assert.equal(memory.access, 'read');
  assert.throws(() => memory.protect('readwrite'), { code: 'EACCES' });
  const words = memory.view(Int32Array, 0, 8);
  const prices = memory.view(Int32Array, FROM, 4 * PRICES);
  process.send('ready');
  for (let seen = 0; seen < UPDATES;) {
    const version = Atomics.load(words, VERSION);
    const copy = Array.from(prices, (_, i) => Atomics.load(prices, i));
    if (version % 2 === 1 || Atomics.load(words, VERSION) !== version) continue;
    assert.ok(copy.every((price) => price === copy[0]));
    [seen] = copy;
    if (seen < UPDATES) await wait(words, VERSION, version);
  }
  process.disconnect();
}
