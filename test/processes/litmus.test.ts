import { expect, test } from 'vitest';
import { attach, type MappingHandle, mmap } from '../../lib/index.js';
import { start, type Tools } from './support.js';

// What lib/ipc relies on between processes, where ECMAScript promises nothing: that Atomics on memory of a mapping are in one total
// order, and that what was written plainly before a store is seen after the load that sees it.
const ROUNDS = 10_000;

interface Data {
  readonly memory: MappingHandle;
  readonly rounds: number;
  readonly me: 0 | 1;
}

/** Both store to their own word of a round, and load the other's; in between both wait for each other. */
const storeThenLoad = ({ ipc, mm, data, report }: Tools<Data>): void => {
  const words = mm.attach(data.memory).view(Int32Array);
  const { rounds, me } = data;
  const [mine, theirs, seen] = [32 + me * rounds, 32 + (1 - me) * rounds, 32 + (2 + me) * rounds];
  for (let round = 0; round < rounds; round++) {
    const all = 2 * (round + 1);
    const last = Atomics.add(words, 0, 1) + 1 === all;
    if (last) ipc.notify(words, 0);
    for (let i = 0; Atomics.load(words, 0) < all; i++) if (i > 5000) ipc.waitSync(words, 0, all - 1, 1);
    // the other one hears of it a moment later: this long, in some of the rounds
    for (let i = last ? round % 100 : 0; i > 0; i--) Atomics.load(words, 1);
    Atomics.store(words, mine + round, 1);
    words[seen + round] = Atomics.load(words, theirs + round);
  }
  report('done');
};

test('of two processes that store and then load, one sees the store of the other', async () => {
  const memory = mmap({ backing: 'anonymous', sharing: 'shared', length: 4 * (32 + 4 * ROUNDS) });
  const two = ([0, 1] as const).map((me) => start(storeThenLoad, { memory: memory.handle(), rounds: ROUNDS, me }));
  for (const child of two) expect(await child.next()).toBe('done');
  const words = memory.view(Int32Array);
  let neither = 0;
  let both = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const sum = (words[32 + 2 * ROUNDS + round] ?? 0) + (words[32 + 3 * ROUNDS + round] ?? 0);
    if (sum === 0) neither++;
    if (sum === 2) both++;
  }
  expect(neither).toBe(0);
  // how often the two really met is the machine's to say
  console.log(`${both} of ${ROUNDS} rounds in which each saw the other`);
});

test('what is written before a store is seen by who sees the store', async () => {
  const memory = mmap({ backing: 'anonymous', sharing: 'shared', length: 65536 });
  const words = attach(memory.handle()).view(Int32Array);
  const child = start(({ mm, data, report }: Tools<MappingHandle>) => {
    const theirs = mm.attach(data).view(Int32Array);
    report('ready');
    let stale = 0;
    let looks = 0;
    for (let seen = 0; seen < 300_000;) {
      seen = Atomics.load(theirs, 0);
      // sixteen lines of the cache, so that some of them are late
      for (let i = 1; i <= 16; i++) if ((theirs[i * 32] ?? 0) < seen) stale++;
      looks++;
    }
    report([stale, looks > 10]);
  }, memory.handle());
  await child.next();
  for (let value = 1; value <= 300_000; value++) {
    for (let i = 1; i <= 16; i++) words[i * 32] = value;
    Atomics.store(words, 0, value);
    if (value % 1000 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await child.next()).toEqual([0, true]);
});
