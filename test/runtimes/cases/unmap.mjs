// unmap() against what JavaScript still holds.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { closeSync, openSync, readFileSync, readSync, writeSync } from 'node:fs';
import { anonymous, areas, gc, makeFile, mapFile, mappings, turn, until } from '../harness.mjs';

const LENGTH = 65536;
const TYPES = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array];
TYPES.push(Float32Array, Float64Array, BigInt64Array, BigUint64Array, DataView, Buffer);

/** What can be done to a view that is stale. Each gives a result or an error; neither is the neighbour's. */
// oxlint-disable unicorn/no-array-sort, unicorn/no-array-fill-with-reference-type -- the builtins as they are
const touch = (view) => {
  const bytes = view instanceof Uint8Array ? view : undefined;
  const answers = [];
  const attempt = (action) => {
    try {
      answers.push(action());
    } catch (error) {
      assert.ok(error instanceof Error);
    }
  };
  attempt(() => view[0]);
  attempt(() => view[view.length - 1]);
  attempt(() => (view[0] = view instanceof BigInt64Array || view instanceof BigUint64Array ? 1n : 1));
  attempt(() => view.getUint8(0));
  attempt(() => view.setUint8(0, 1));
  attempt(() => view.getFloat64(8));
  attempt(() => view.at(0));
  attempt(() => [...view.values()].length);
  attempt(() => view.fill(view[0] ?? 1));
  attempt(() => view.slice(0, 8).length);
  attempt(() => view.subarray(0, 8).length);
  attempt(() => view.set([1]));
  attempt(() => view.join());
  attempt(() => view.sort()[0]);
  attempt(() => view.copyWithin(8, 0, 8).length);
  attempt(() => (view instanceof Buffer ? Buffer.from(view) : new view.constructor(view)).length);
  attempt(() => new Uint8Array(view.buffer).length);
  attempt(() => new DataView(view.buffer).getUint8(0));
  attempt(() => structuredClone(view)[0]);
  attempt(() => Atomics.load(view, 0));
  attempt(() => Atomics.store(view, 0, 1) && undefined);
  attempt(() => Buffer.from(view.buffer).toString('latin1'));
  attempt(() => new TextDecoder('latin1').decode(view));
  attempt(() => createHash('sha1').update(view).digest('hex'));
  if (bytes === undefined) return answers;
  attempt(() => Buffer.concat([bytes, bytes]).toString('latin1'));
  attempt(() => Buffer.compare(bytes, Buffer.alloc(1, 0xa5)) === 0 && 'same as the neighbour');
  attempt(() => bytes.toString('latin1'));
  attempt(() => bytes.readDoubleLE(0));
  attempt(() => bytes.write('neighbour'));
  attempt(() => bytes.indexOf(0xa5));
  attempt(() => bytes.equals?.(Buffer.alloc(1, 0xa5)) && 'same as the neighbour');
  return answers;
};

const NEIGHBOUR = 0xa5;
const EMPTY_HASH = createHash('sha1').digest('hex');

const assertNothingSeen = (answers) => {
  for (const answer of answers) {
    const harmless = [undefined, 0, 0n, 1, 1n, -1, false, '', EMPTY_HASH].includes(answer);
    assert.ok(harmless || /^\0*$/.test(String(answer)), `a stale view answered ${String(answer)}`);
  }
};

const viewsOf = (mapping) => {
  const views = TYPES.map((Type) => mapping.view(Type));
  views.push(mapping.bytes, mapping.bytes.subarray(8, 64), new Uint8Array(mapping.buffer, 16, 32));
  return views;
};

/** Files mapped until one of them lies where `address` was. */
const mapAt = (address, path) => {
  const made = [];
  while (!areas(path).some((line) => line.startsWith(address))) {
    assert.ok(made.length < 500, `nothing was mapped at ${address} again`);
    made.push(mapFile(path));
  }
  return made;
};

const overlaps = (line, start) => {
  const [from, to] = line
    .split(' ')[0]
    .split('-')
    .map((text) => Number.parseInt(text, 16));
  return from < start + LENGTH && to > start;
};

const staleViews = (path) => {
  const mapping = mapFile(path);
  const views = viewsOf(mapping);
  const [address] = areas(path)[0].split('-');
  mapping.unmapSync();
  return { views, start: Number.parseInt(address, 16) };
};

/** In a function of its own, so that nothing keeps the views when it has returned. */
const staleAmongNeighbours = async (path) => {
  const first = makeFile(LENGTH);
  const { views, start } = staleViews(first);
  assert.deepEqual(areas(first), []);
  for (const view of views) assertNothingSeen(touch(view));
  for (let i = 0; i < 5; i++) {
    gc();
    await turn();
  }
  const neighbours = Array.from({ length: 100 }, () => mapFile(path));
  assert.ok(!areas(path).some((line) => overlaps(line, start)), 'the address is kept while a view lives');
  for (const view of views) assertNothingSeen(touch(view));
  for (const { bytes } of neighbours) assert.ok(bytes.every((byte) => byte === NEIGHBOUR));
  for (const neighbour of neighbours) neighbour.unmapSync();
};

export const cases = {
  async 'a second unmap() does nothing, whatever lies there now'() {
    const [first, second] = [makeFile(LENGTH), makeFile(LENGTH, NEIGHBOUR)];
    const mapping = mapFile(first);
    const [address] = areas(first)[0].split('-');
    mapping.unmapSync();
    assert.deepEqual(areas(first), []);
    mapAt(address, second);
    const before = areas(second).length;
    mapping.unmapSync();
    await mapping.unmap();
    mapping[Symbol.dispose]();
    await mapping[Symbol.asyncDispose]();
    assert.equal(areas(second).length, before);
    assert.equal(mapping.length, 0);
  },

  async 'a stale view never sees a neighbour, and its address waits for it'() {
    const second = makeFile(LENGTH, NEIGHBOUR);
    await staleAmongNeighbours(second);
    assert.ok(readFileSync(second).every((byte) => byte === NEIGHBOUR));
    await until(() => mappings().length === 0, 'the address is given back when the views are gone');
  },

  'an iterator that is under way ends or throws'() {
    for (const kind of ['values', 'keys', 'entries']) {
      const mapping = anonymous(LENGTH);
      const iterator = mapping.view(Uint8Array)[kind]();
      iterator.next();
      mapping.unmapSync();
      let step = { done: true };
      try {
        step = iterator.next();
      } catch (error) {
        assert.ok(error instanceof TypeError);
      }
      assert.ok(step.done, kind);
    }
  },

  async 'a view keeps its memory when its Mapping is collected'() {
    const path = makeFile(LENGTH, 7);
    const view = (() => mapFile(path).view(Uint8Array))();
    const bytes = (() => mapFile(path).bytes)();
    for (let i = 0; i < 5; i++) {
      gc();
      await turn();
    }
    assert.equal(areas(path).length, 2);
    assert.ok(view.every((byte) => byte === 7) && bytes.every((byte) => byte === 7));
  },

  async 'what nobody holds is given back'() {
    const path = makeFile(LENGTH);
    (() => {
      mapFile(path);
      mapFile(path).view(Uint8Array)[0] = 1;
      mapFile(path).bytes.subarray(4, 8)[0] = 1;
      anonymous(LENGTH, { sharing: 'shared' }).bytes[0] = 1;
    })();
    await until(() => areas(path).length === 0 && mappings().length === 0, 'all of it is unmapped');
  },

  async 'unmap() while operations are in flight'() {
    const path = makeFile(8 << 20, 7);
    const mapping = mapFile(path);
    mapping.bytes.fill(8);
    // more than the pool has threads: most have not begun when it is unmapped
    const work = Array.from({ length: 16 }, (_, i) => [mapping.residency(), mapping.sync({ offset: i })]).flat();
    work.push(mapping.populate({ write: true }));
    const ended = mapping.unmap();
    assert.equal(mapping.length, 0);
    const results = await Promise.allSettled([...work, ended]);
    assert.deepEqual(
      results.map(({ status }) => status),
      Array(34).fill('fulfilled'),
    );
    await until(() => areas(path).length === 0, 'the file is unmapped when the last is done');
    const fd = openSync(path);
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, (8 << 20) - 1);
    closeSync(fd);
    assert.equal(byte[0], 8);
  },

  'system calls on a stale view'() {
    const path = makeFile(LENGTH, NEIGHBOUR);
    const mapping = anonymous(LENGTH);
    const view = mapping.bytes;
    mapping.unmapSync();
    const fd = openSync(path, 'r+');
    try {
      for (const call of [() => readSync(fd, view), () => writeSync(fd, view)]) {
        let count = 0;
        try {
          count = call();
        } catch (error) {
          assert.ok(error instanceof Error);
        }
        assert.equal(count, 0);
      }
    } finally {
      closeSync(fd);
    }
  },
};
