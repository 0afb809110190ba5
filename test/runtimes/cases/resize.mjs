// oxlint-disable unicorn/require-post-message-target-origin -- these are workers, not windows
// resize() against what JavaScript still holds of the old place.
import assert from 'node:assert/strict';
import {
  anonymous,
  areas,
  attach,
  gc,
  makeFile,
  mapFile,
  mappings,
  startWorker,
  transfer,
  turn,
  until,
} from '../harness.mjs';

const LENGTH = 65536;
const OLD = 7;

const span = (line) => {
  const [from, to] = line
    .split(' ')[0]
    .split('-')
    .map((text) => Number.parseInt(text, 16));
  return to - from;
};

export const looks = (_data, port) => {
  port.postMessage('ready');
  const nobody = { v: 1, kind: 'process', name: '0'.repeat(32), pid: process.pid, access: 'read', length: 1 };
  port.on('message', () => process.exit());
  const look = () => {
    for (let i = 0; i < 1000; i++) assert.throws(() => attach(nobody), { code: 'ERR_OWNER_GONE' });
    setTimeout(look, 0);
  };
  look();
};

const resizes = (memory) => {
  const stale = [memory.bytes, memory.view(Float64Array), new DataView(memory.buffer), memory.bytes.subarray(5)];
  for (const length of [2 * LENGTH, LENGTH / 2, 100, LENGTH, 0, LENGTH, 3 * LENGTH]) {
    memory.bytes.fill(OLD);
    const kept = Math.min(memory.length, length);
    memory.resize(length);
    assert.equal(memory.length, length);
    assert.equal(memory.bytes.length, length);
    assert.ok(memory.bytes.subarray(0, kept).every((byte) => byte === OLD));
    assert.ok(memory.bytes.subarray(kept).every((byte) => byte === 0 || byte === OLD));
    for (const view of stale) {
      assert.equal(view.buffer.byteLength, 0);
      assert.throws(() => new DataView(view.buffer).getUint8(0));
    }
    stale.push(memory.bytes);
  }
};

export const cases = {
  async 'views of the old place are stale, whatever the new length'() {
    resizes(anonymous(LENGTH));
    await until(() => mappings().length === 0, 'all is given back');
    const path = makeFile(4 * LENGTH, OLD);
    resizes(mapFile(path, { length: LENGTH }));
    await until(() => areas(path).length === 0, 'the file is let go');
  },

  async 'the file is mapped once, at the new length'() {
    const path = makeFile(4 * LENGTH, OLD);
    const mapping = mapFile(path, { length: LENGTH });
    mapping.bytes.fill(OLD);
    mapping.resize(4 * LENGTH);
    assert.deepEqual(areas(path).map(span), [4 * LENGTH]);
    mapping.bytes.fill(OLD);
    mapping.resize(4096);
    assert.deepEqual(areas(path).map(span), [4096]);
    mapping.unmapSync();
    assert.deepEqual(areas(path), []);
  },

  async 'moved buffers of the old place stay readable'() {
    const path = makeFile(4 * LENGTH, OLD);
    await (async () => {
      const mapping = mapFile(path, { length: LENGTH });
      const moved = [];
      for (const length of [2 * LENGTH, 4096, 3 * LENGTH, 4 * LENGTH]) {
        moved.push(transfer(mapping.buffer));
        mapping.resize(length);
        assert.ok(mapping.bytes.every((byte) => byte === OLD));
        for (const buffer of moved) assert.ok(new Uint8Array(buffer).every((byte) => byte === 0 || byte === OLD));
        for (const buffer of moved) new Uint8Array(buffer).fill(0);
        gc();
        await turn();
      }
      assert.equal(areas(path).length, 1);
      mapping.unmapSync();
      for (const buffer of moved) assert.ok(new Uint8Array(buffer).every((byte) => byte === 0));
    })();
    await until(() => mappings().length === 0, 'every address is given back');
  },

  async 'a refused resize() takes nothing away'() {
    const path = makeFile(8 << 20, OLD);
    const mapping = mapFile(path, { length: 4 << 20 });
    const view = mapping.bytes;
    const other = attach(mapping.handle());
    assert.throws(() => mapping.resize(LENGTH), { code: 'EBUSY' });
    assert.equal(view.length, 4 << 20);
    assert.equal(view[1], OLD);
    other.unmapSync();
    assert.throws(() => mapping.resize(16 << 20), { code: 'ERR_OUT_OF_RANGE' });
    assert.equal(view.length, 4 << 20);
    assert.equal(view[1], OLD);
    mapping.resize(LENGTH);
    assert.equal(view.length, 0);
  },

  async 'while another thread looks for mappings'() {
    const { worker, next, ended } = startWorker(import.meta.url, 'looks');
    await next();
    const mapping = anonymous(4096);
    for (let round = 0; round < 40; round++) {
      for (let i = 0; i < 500; i++) mapping.resize(i % 2 === 0 ? 8192 : 4096);
      await turn();
    }
    worker.postMessage('end');
    await ended;
  },

  async 'with work in flight'() {
    const path = makeFile(8 << 20, OLD);
    const mapping = mapFile(path);
    mapping.bytes.fill(1);
    const work = [mapping.sync(), mapping.populate(), mapping.residency()];
    let refused;
    try {
      mapping.resize(4096);
    } catch (error) {
      refused = error;
    }
    assert.ok(refused === undefined || refused.code === 'EBUSY', String(refused));
    const settled = await Promise.allSettled(work);
    assert.deepEqual(
      settled.map(({ status }) => status),
      ['fulfilled', 'fulfilled', 'fulfilled'],
    );
    mapping.resize(4096);
    assert.equal(mapping.bytes[4095], 1);
  },
};
