// Memory that JavaScript has moved to another object or thread, in every order with unmap() and GC.
import assert from 'node:assert/strict';
import { markAsUntransferable, MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { areas, gc, makeFile, mapFile, mappings, runtime, startWorker, transfer, turn, until } from '../harness.mjs';

const LENGTH = 65536;
const OLD = 7;

const isDetached = (buffer) => {
  try {
    return new Uint8Array(buffer).length < 0;
  } catch {
    return true;
  }
};

const write = (buffer) => {
  if (!isDetached(buffer)) new Uint8Array(buffer).fill(1);
};

const collect = async () => {
  for (let i = 0; i < 4; i++) {
    gc();
    await turn();
  }
};

/** Every byte can be read, and is what was there or zero. */
const assertReadable = (buffer, what) => {
  if (isDetached(buffer)) return;
  const odd = new Uint8Array(buffer).find((byte) => byte !== 0 && byte !== OLD);
  assert.equal(odd, undefined, what);
};

/** Ways to move a buffer. Each gives what has the memory now, which may be a copy, or the buffer itself where it was refused. */
const MOVES = {
  transfer: (buffer) => buffer.transfer?.() ?? buffer,
  'transfer, shorter': (buffer) => buffer.transfer?.(100) ?? buffer,
  'transfer, longer': (buffer) => buffer.transfer?.(2 * LENGTH) ?? buffer,
  'transfer to nothing': (buffer) => buffer.transfer?.(0) ?? buffer,
  transferToFixedLength: (buffer) => buffer.transferToFixedLength?.() ?? buffer,
  'transfer, twice': (buffer) => buffer.transfer?.().transfer() ?? buffer,
  structuredClone(buffer) {
    try {
      return structuredClone(buffer, { transfer: [buffer] });
    } catch {
      return buffer;
    }
  },
  'structuredClone of a moved one'(buffer) {
    const moved = buffer.transfer?.() ?? buffer;
    try {
      return structuredClone(moved, { transfer: [moved] });
    } catch {
      return moved;
    }
  },
  'postMessage of a moved one'(buffer) {
    const { port1, port2 } = new MessageChannel();
    const moved = buffer.transfer?.() ?? buffer;
    try {
      port1.postMessage(moved, [moved]);
      return receiveMessageOnPort(port2)?.message ?? moved;
    } catch {
      return moved;
    } finally {
      port1.close();
    }
  },
  'postMessage that is received late'(buffer) {
    const { port1, port2 } = new MessageChannel();
    try {
      const moved = buffer.transfer?.() ?? buffer;
      port1.postMessage(moved, [moved]);
      port1.postMessage('last');
      receiveMessageOnPort(port2);
      return new ArrayBuffer(0);
    } catch {
      return buffer;
    } finally {
      port1.close();
    }
  },
};

/** What happens around the move, before and after. */
const ORDERS = {
  'move, unmap': async (move, mapping) => {
    const moved = move(mapping.buffer);
    mapping.unmapSync();
    return moved;
  },
  'move, unmap in the pool': async (move, mapping) => {
    const moved = move(mapping.buffer);
    await mapping.unmap();
    return moved;
  },
  'move, collect, unmap': async (move, mapping) => {
    const moved = move(mapping.buffer);
    await collect();
    mapping.unmapSync();
    return moved;
  },
  // the library makes a new buffer, and the one that was moved from is collected
  'move, another buffer, collect, unmap': async (move, mapping) => {
    const moved = move(mapping.buffer);
    assert.equal(mapping.bytes[1], OLD);
    await collect();
    mapping.unmapSync();
    await collect();
    return moved;
  },
  'unmap, move': async (move, mapping) => {
    const { buffer } = mapping;
    mapping.unmapSync();
    try {
      return move(buffer);
    } catch (error) {
      assert.ok(error instanceof Error);
      return buffer;
    }
  },
  'move, forget the mapping': async (move, mapping) => {
    const moved = move(mapping.buffer);
    mapping = undefined;
    await collect();
    return moved;
  },
};

const needsTransfer = () => transfer(new ArrayBuffer(1));

export const maps = (path, port) => {
  const mapping = mapFile(path);
  globalThis.kept = mapping;
  const moved = transfer(mapping.buffer);
  port.postMessage(moved, [moved]);
};

export const mapsAndUnmaps = (path, port) => {
  const mapping = mapFile(path);
  const moved = transfer(mapping.buffer);
  mapping.unmapSync();
  port.postMessage(moved, [moved]);
};

export const keepsMoved = (path, port) => {
  globalThis.kept = [mapFile(path), mapFile(path), mapFile(path)].map((mapping) => [mapping, transfer(mapping.buffer)]);
  globalThis.views = globalThis.kept.map(([mapping]) => mapping.view(Uint8Array));
  port.postMessage('ready');
};

const fromWorker = async (task) => {
  needsTransfer();
  const path = makeFile(LENGTH, OLD);
  const { next, ended } = startWorker(import.meta.url, task, path);
  let moved = await next();
  assertReadable(moved, 'while the worker ends');
  await ended;
  for (let i = 0; i < 10; i++) {
    await collect();
    assertReadable(moved, 'after the worker has ended');
  }
  write(moved);
  moved = undefined;
  await until(() => areas(path).length === 0, 'the file is let go');
};

export const cases = {
  async 'moves in every order with unmap() and GC'() {
    for (const [moveName, move] of Object.entries(MOVES)) {
      for (const [orderName, order] of Object.entries(ORDERS)) {
        const what = `${moveName}; ${orderName}`;
        const path = makeFile(LENGTH, OLD);
        await (async () => {
          const moved = await order(move, mapFile(path));
          assertReadable(moved, what);
          await collect();
          assertReadable(moved, what);
          write(moved);
          if (orderName !== 'move, forget the mapping') assert.deepEqual(areas(path), [], what);
        })();
        await until(() => areas(path).length === 0, `${what}: the file is let go`);
      }
    }
    await until(() => mappings().length === 0, 'every address is given back');
  },

  // the reference that was weak to a collected object must not be asked again
  async 'unmap() long after the object that was moved from is gone'() {
    const path = makeFile(LENGTH, OLD);
    const pairs = Array.from({ length: 100 }, () => {
      const mapping = mapFile(path);
      const moved = transfer(mapping.buffer);
      assert.equal(mapping.bytes[0], OLD);
      return [mapping, moved];
    });
    await collect();
    const churn = Array.from({ length: 50_000 }, () => Buffer.allocUnsafeSlow(48).fill(0x41));
    assert.equal(churn.length, 50_000);
    for (const [mapping] of pairs) mapping.unmapSync();
    assert.deepEqual(areas(path), []);
    for (const [, moved] of pairs) assertReadable(moved);
  },

  async 'a buffer that was marked as not to be transferred reads as zeros'() {
    const path = makeFile(LENGTH, OLD);
    let mapping = mapFile(path);
    let { buffer } = mapping;
    markAsUntransferable(buffer);
    mapping.unmapSync();
    assert.deepEqual(areas(path), []);
    // detached where the runtime let us, else over pages of zeros
    assert.ok(isDetached(buffer) || new Uint8Array(buffer).every((byte) => byte === 0));
    write(buffer);
    mapping = undefined;
    buffer = undefined;
    await until(() => mappings().length === 0, 'the address is given back');
  },

  async 'unmap() of a buffer that is frozen and has lost its prototype'() {
    const path = makeFile(LENGTH, OLD);
    const mapping = mapFile(path);
    const { buffer } = mapping;
    Object.setPrototypeOf(buffer, null);
    Object.freeze(buffer);
    mapping.unmapSync();
    assert.deepEqual(areas(path), []);
  },

  async 'a worker that maps, moves, posts and ends'() {
    await fromWorker('maps');
  },

  async 'a worker that maps, moves, unmaps, posts and ends'() {
    await fromWorker('mapsAndUnmaps');
  },

  async 'a worker that ends with moved buffers of its own'() {
    const path = makeFile(LENGTH, OLD);
    needsTransfer();
    const { next, ended } = startWorker(import.meta.url, 'keepsMoved', path);
    assert.equal(await next(), 'ready');
    await ended;
    await until(() => areas(path).length === 0, `${runtime}: the file is let go`);
  },
};
