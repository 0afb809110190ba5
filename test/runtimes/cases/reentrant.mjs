// Builtins and methods of ours that call back into JavaScript, which unmaps.
// oxlint-disable unicorn/no-array-sort, unicorn/no-array-fill-with-reference-type -- the builtins as they are
import assert from 'node:assert/strict';
import { anonymous, areas, makeFile, mapFile } from '../harness.mjs';

const LENGTH = 65536;

/** Builtins that call back into JavaScript, which unmaps. */
const REENTRANT = {
  sort: (view, unmap) => view.sort((a, b) => (unmap(), a - b)),
  toSorted: (view, unmap) => view.toSorted?.((a, b) => (unmap(), a - b)),
  map: (view, unmap) => view.map((value) => (unmap(), value)),
  filter: (view, unmap) => view.filter(() => (unmap(), true)),
  forEach: (view, unmap) => view.forEach(unmap),
  reduce: (view, unmap) => view.reduce((sum, value) => (unmap(), sum + value), 0),
  reduceRight: (view, unmap) => view.reduceRight((sum, value) => (unmap(), sum + value), 0),
  every: (view, unmap) => view.every(() => (unmap(), true)),
  some: (view, unmap) => view.some(() => (unmap(), false)),
  find: (view, unmap) => view.find(() => (unmap(), false)),
  findLast: (view, unmap) => view.findLast(() => (unmap(), false)),
  'fill, value': (view, unmap) => view.fill({ valueOf: () => (unmap(), 7) }),
  'fill, start': (view, unmap) => view.fill(7, { valueOf: () => (unmap(), 1) }),
  'fill, end': (view, unmap) => view.fill(7, 0, { valueOf: () => (unmap(), LENGTH) }),
  'set, getters': (view, unmap) =>
    view.set({
      length: 3,
      0: 1,
      get 1() {
        unmap();
        return 2;
      },
      2: 3,
    }),
  'set, offset': (view, unmap) => view.set([1, 2, 3], { valueOf: () => (unmap(), 4) }),
  'set, of itself': (view, unmap) => view.set(view.subarray(8), { valueOf: () => (unmap(), 0) }),
  'copyWithin, target': (view, unmap) => view.copyWithin({ valueOf: () => (unmap(), 8) }, 0, 64),
  'copyWithin, end': (view, unmap) => view.copyWithin(8, 0, { valueOf: () => (unmap(), LENGTH) }),
  'indexOf, fromIndex': (view, unmap) => view.indexOf(9, { valueOf: () => (unmap(), 1) }),
  'lastIndexOf, fromIndex': (view, unmap) => view.lastIndexOf(9, { valueOf: () => (unmap(), LENGTH - 1) }),
  'includes, fromIndex': (view, unmap) => view.includes(undefined, { valueOf: () => (unmap(), 0) }),
  'subarray, begin': (view, unmap) => view.subarray({ valueOf: () => (unmap(), 8) }, 64),
  'slice, end': (view, unmap) => view.slice(0, { valueOf: () => (unmap(), LENGTH) }),
  'slice, species': (view, unmap) => {
    view.constructor = {
      get [Symbol.species]() {
        unmap();
        return Uint8Array;
      },
    };
    view.slice(0, 64);
  },
  'at, index': (view, unmap) => view.at({ valueOf: () => (unmap(), 5) }),
  'with, value': (view, unmap) => view.with?.(0, { valueOf: () => (unmap(), 5) }),
  'join, separator': (view, unmap) => view.join({ toString: () => (unmap(), ',') }),
  'TypedArray.from': (view, unmap) => Uint8Array.from(view, (value) => (unmap(), value)),
  'iteration of a spread': (view, unmap) => {
    for (const value of view) if (value >= 0) unmap();
  },
  'assignment, value': (view, unmap) => (view[4] = { valueOf: () => (unmap(), 9) }),
  'Object.defineProperty': (view, unmap) => Object.defineProperty(view, 4, { value: { valueOf: () => (unmap(), 9) } }),
  'Atomics.store': (view, unmap) => Atomics.store(view, 0, { valueOf: () => (unmap(), 9) }),
  'Atomics.add': (view, unmap) => Atomics.add(view, 0, { valueOf: () => (unmap(), 9) }),
  'Atomics.compareExchange': (view, unmap) => Atomics.compareExchange(view, 0, 0, { valueOf: () => (unmap(), 9) }),
  'Atomics.load, index': (view, unmap) => Atomics.load(view, { valueOf: () => (unmap(), 3) }),
  'DataView.setFloat64': (view, unmap) => new DataView(view.buffer).setFloat64(0, { valueOf: () => (unmap(), 9) }),
  'DataView.setUint8, offset': (view, unmap) =>
    new DataView(view.buffer).setUint8({ valueOf: () => (unmap(), LENGTH - 1) }, 9),
  'DataView.getUint32, offset': (view, unmap) =>
    new DataView(view.buffer).getUint32({ valueOf: () => (unmap(), LENGTH - 4) }),
  'new Uint8Array, offset': (view, unmap) => new Uint8Array(view.buffer, { valueOf: () => (unmap(), 8) }, 8),
  'ArrayBuffer.slice': (view, unmap) => view.buffer.slice({ valueOf: () => (unmap(), 8) }, 64),
  'ArrayBuffer.transfer': (view, unmap) => view.buffer.transfer?.({ valueOf: () => (unmap(), 64) }),
  'Buffer.fill': (view, unmap) => Buffer.from(view.buffer).fill('a', { valueOf: () => (unmap(), 0) }),
  'Array.prototype.concat': (view, unmap) => {
    view[Symbol.isConcatSpreadable] = true;
    Object.defineProperty(view, 'length', { get: () => (unmap(), 64) });
    [].concat(view);
  },
};

export const cases = {
  'unmap() from within a builtin'() {
    for (const [name, action] of Object.entries(REENTRANT)) {
      const path = makeFile(LENGTH, 1);
      const mapping = mapFile(path);
      const view = mapping.view(Uint8Array);
      let unmaps = 0;
      const unmap = () => {
        unmaps++;
        mapping.unmapSync();
      };
      try {
        action(view, unmap);
      } catch (error) {
        assert.ok(error instanceof TypeError || error instanceof RangeError, `${name}: ${String(error)}`);
      }
      mapping.unmapSync();
      assert.deepEqual(areas(path), [], `${name}: ${unmaps} unmaps`);
    }
  },

  'getters among the arguments that unmap'() {
    const calls = {
      view: (mapping, options) => mapping.view(Uint8Array, options.offset, 8),
      read: (mapping, options) => mapping.read(Buffer.alloc(8), options),
      write: (mapping, options) => mapping.write(Buffer.alloc(8), options),
      text: (mapping, options) => mapping.text(options),
      syncSync: (mapping, options) => mapping.syncSync(options),
      advise: (mapping, options) => mapping.advise('willneed', options),
      protect: (mapping, options) => mapping.protect('read', options),
      lockSync: (mapping, options) => mapping.lockSync(options),
      unlock: (mapping, options) => mapping.unlock(options),
      residencySync: (mapping, options) => mapping.residencySync(options),
      populateSync: (mapping, options) => mapping.populateSync(options),
      resize: (mapping, options) => mapping.resize(4096, { grow: options.offset === 1 }),
      handle: (mapping, options) => mapping.handle({ inheritedFd: options.offset === 1 ? 1 : undefined }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const mapping = anonymous(LENGTH);
      const options = {
        get offset() {
          mapping.unmapSync();
          return 0;
        },
      };
      assert.throws(() => call(mapping, options), { code: 'ERR_INVALID_STATE' }, name);
    }
  },
};
