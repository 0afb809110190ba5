// Loops that never let the event loop turn, and what is left after many rounds.
import assert from 'node:assert/strict';
import {
  allocZeroed,
  anonymous,
  areas,
  assertAlive,
  descriptors,
  gc,
  makeFile,
  mapFile,
  mappings,
  resident,
  runProgram,
  runtime,
  skip,
  turn,
  until,
} from '../harness.mjs';

const MANY = 100_000;
const LENGTH = 65536;
const PAGE = 4096;

/** The error of a process that has too many areas says what to do. */
const assertExplained = (error) => {
  assert.equal(error.code, 'ENOMEM');
  assert.equal(error.errno, -12);
  assert.match(error.message, /vm\.max_map_count/);
};

/** Calls until it fails or has been called so often; how it failed. */
const repeat = (count, call) => {
  try {
    for (let i = 0; i < count; i++) call(i);
    return undefined;
  } catch (error) {
    return error;
  }
};

/** A loop that may come to the limit, and a process that is as before when the loop has turned. */
const survive = async (call, mustFail) => {
  const before = areas().length;
  const error = repeat(MANY, call);
  if (error !== undefined) assertExplained(error);
  assert.equal(error === undefined, !(mustFail ?? error !== undefined));
  assertAlive();
  await until(() => areas().length < before + 2000 && mappings().length === 0, 'what was dropped is given back');
  anonymous(LENGTH).bytes[0] = 1;
};

export const cases = {
  async 'a hundred thousand mappings dropped in a loop'() {
    const path = makeFile(PAGE);
    await survive(() => mapFile(path));
  },

  async 'a hundred thousand views dropped in a loop'() {
    await survive((i) => (allocZeroed(PAGE)[i % PAGE] = 1));
  },

  async 'a hundred thousand times map, view, unmap in a loop never fails'() {
    const path = makeFile(PAGE, 7);
    const round = (i) => {
      const mapping = i % 2 === 0 ? anonymous(LENGTH) : mapFile(path);
      assert.equal(mapping.view(Uint8Array)[100], i % 2 === 0 ? 0 : 7);
      mapping.unmapSync();
    };
    await survive(round, false);
  },

  async 'a hundred thousand live mappings are too many'() {
    const path = makeFile(PAGE);
    const live = [];
    const error = repeat(MANY, () => live.push(mapFile(path)));
    assertExplained(error);
    assertAlive();
    // the runtime may have given a few areas back meanwhile, but not more
    assertExplained(repeat(MANY / 10, () => live.push(mapFile(path))));
    for (const mapping of live) mapping.unmapSync();
    assert.deepEqual(areas(path), []);
    mapFile(path).unmapSync();
  },

  async 'holes between mappings that the kernel had merged'() {
    const live = [];
    const error = repeat(2 * MANY, () => live.push(anonymous(PAGE)));
    if (error !== undefined) assertExplained(error);
    for (let i = 0; i < live.length; i += 2) live[i].unmapSync();
    assertAlive();
    for (const mapping of live) mapping.unmapSync();
    await until(() => mappings().length === 0, 'all are given back');
    assertAlive();
  },

  async 'holes between stale views that the kernel had merged'() {
    const kept = [];
    const error = repeat(2 * MANY, (i) => {
      const mapping = anonymous(PAGE);
      const { buffer } = mapping;
      if (i % 2 === 0) kept.push(buffer);
      mapping.unmapSync();
    });
    if (error !== undefined) assertExplained(error);
    for (let i = 0; i < 10; i++) {
      gc();
      await turn();
    }
    assertAlive();
    kept.length = 0;
    await until(() => mappings().length === 0, 'all are given back');
  },

  'pages that are protected one by one'() {
    const mapping = anonymous(2 * MANY * PAGE);
    const error = repeat(MANY, (i) => mapping.protect('read', { offset: 2 * i * PAGE, length: PAGE }));
    assertExplained(error);
    assertAlive();
    mapping.unmapSync();
    assertAlive();
  },

  'pages that are advised one by one'() {
    const mapping = anonymous(2 * MANY * PAGE);
    const error = repeat(MANY, (i) => mapping.advise('dontdump', { offset: 2 * i * PAGE, length: PAGE }));
    assertExplained(error);
    assertAlive();
    mapping.unmapSync();
  },

  async 'mappings that are resized with a view in a loop'() {
    const mapping = anonymous(PAGE);
    const error = repeat(2 * MANY, (i) => {
      assert.equal(mapping.buffer.byteLength, mapping.length);
      mapping.resize(i % 2 === 0 ? 2 * PAGE : PAGE);
    });
    if (error !== undefined) assertExplained(error);
    assertAlive();
    await until(() => mappings().length === 1, 'the old addresses are given back');
  },

  async 'fifty thousand rounds leave nothing behind'() {
    const path = makeFile(LENGTH, 7);
    const round = (i) => {
      const mapping = i % 3 === 0 ? mapFile(path) : anonymous(LENGTH, { sharing: i % 3 === 1 ? 'shared' : 'private' });
      mapping.view(Uint8Array)[i % LENGTH] = 1;
      mapping.unmapSync();
    };
    const rounds = async (count) => {
      for (let i = 0; i < count; i++) {
        round(i);
        if (i % 500 === 0) await turn();
      }
      await until(() => mappings().length === 0, 'all are given back');
    };
    await rounds(5000);
    const before = { areas: areas().length, descriptors: descriptors(), resident: resident() };
    await rounds(50_000);
    assert.ok(areas().length < before.areas + 100, `${areas().length} areas, ${before.areas} before`);
    assert.equal(descriptors(), before.descriptors);
    assert.ok(resident() < before.resident + (64 << 20), `${resident()} bytes resident, ${before.resident} before`);
  },

  'process.exit() with live mappings, views and work'() {
    assert.deepEqual(runProgram('exits.mjs', [makeFile(8 << 20)]), { how: 42, stdout: 'leaving', stderr: '' });
  },

  'a large mapping and a small view do not provoke the collector'() {
    if (runtime !== 'node') skip('tells of its collections in no such way');
    const { how, stdout } = runProgram('collects.mjs', [makeFile(0)], ['--trace-gc', '--max-old-space-size=1024']);
    assert.equal(how, 0, stdout);
    const [, during] = stdout.split(/^(?:BEGIN|END)$/m);
    assert.match(stdout, /Mark-Compact/, 'it was looked for in the right words');
    assert.doesNotMatch(during, /Mark-Compact/);
  },
};
