// oxlint-disable unicorn/require-post-message-target-origin -- these are workers, not windows
// Mappings, views and shared buffers of workers, and what is left when they end.
import assert from 'node:assert/strict';
import {
  allocZeroed,
  anonymous,
  areas,
  attach,
  descriptors,
  makeFile,
  mapFile,
  mappings,
  runProgram,
  runtime,
  skip,
  startWorker,
  supports,
  until,
} from '../harness.mjs';

const LENGTH = 65536;
const me = import.meta.url;

const needsShared = () => {
  if (!supports('sharedBuffer')) skip('no SharedArrayBuffer over memory of ours');
};

const whenTold = (port, act) => port.on('message', (message) => act(message));

/** What a worker may hold when it ends. */
const HELD = {
  handle: (path) => mapFile(path),
  'a view': (path) => mapFile(path).view(Float64Array),
  'a view and its mapping': (path) => [mapFile(path)].map((mapping) => [mapping, mapping.bytes]),
  'windows of one mapping': (path) => {
    const mapping = mapFile(path);
    return [0, 8, 4096].map((offset) => mapping.view(Uint8Array, offset, 8));
  },
  'views that are stale': (path) => {
    const mapping = mapFile(path);
    const { bytes } = mapping;
    mapping.unmapSync();
    return bytes;
  },
  'joinable memory': () => anonymous(LENGTH, { sharing: 'shared' }).bytes,
  'private memory': () => allocZeroed(LENGTH),
  'a mapping that was resized': (path) => {
    const mapping = mapFile(path);
    const { buffer } = mapping;
    mapping.resize(4096);
    return [mapping, buffer, mapping.buffer];
  },
  'an attached mapping': (path) => attach(mapFile(path).handle()).bytes,
  'an attached mapping twice': (path) => {
    const handle = mapFile(path).handle();
    return [attach(handle), attach(handle).bytes];
  },
  'a shared buffer': (path) => (supports('sharedBuffer') ? mapFile(path).sharedBuffer : undefined),
};

export const holds = ({ path, name }, port) => {
  globalThis.held = HELD[name](path);
  port.postMessage('ready');
  whenTold(port, () => process.exit());
};

export const reads = (handle, port) => {
  const mapping = attach(handle);
  globalThis.held = mapping;
  const view = mapping.view(Int32Array);
  port.postMessage(view[1]);
  whenTold(port, (message) => {
    if (message === 'read') port.postMessage(view[1]);
    if (message === 'unmap') port.postMessage(mapping.unmapSync());
    if (message === 'end') process.exit();
  });
};

export const gives = (path, port) => {
  const mapping = mapFile(path);
  globalThis.held = mapping;
  port.postMessage(mapping.handle());
  whenTold(port, () => process.exit());
};

export const counts = (shared, port) => {
  const view = new Int32Array(shared);
  port.postMessage('ready');
  const until = Date.now() + 10_000;
  while (Atomics.load(view, 0) !== -1 && Date.now() < until) Atomics.add(view, 1, 1);
  port.postMessage('saw the end');
};

export const hammers = (path, port) => {
  const view = mapFile(path).view(Uint8Array);
  port.postMessage('ready');
  for (;;) for (let i = 0; i < view.length; i++) view[i] = view[view.length - 1 - i] + 1;
};

export const shares = (_data, port) => {
  port.postMessage(supports('sharedBuffer') ? anonymous(LENGTH).sharedBuffer : 'nothing');
};

export const maps = (_data, port) => {
  globalThis.held = anonymous(LENGTH).bytes;
  port.postMessage('ready');
};

const hold = async (how) => {
  const path = makeFile(LENGTH, 1);
  for (const name of Object.keys(HELD)) {
    const { worker, next, ended } = startWorker(me, 'holds', { path, name });
    assert.equal(await next(), 'ready');
    if (how === 'terminate') await worker.terminate();
    else worker.postMessage('end');
    await ended;
    await until(() => areas(path).length === 0, `${name}: the file is let go`);
    await until(() => mappings().length === 0, `${name}: the address is given back`);
  }
  await until(() => descriptors() === 0, 'no descriptor is left');
};

const joinAndPart = async (path) => {
  const mapping = mapFile(path);
  mapping.view(Int32Array)[1] = 5;
  const { worker, next, ended } = startWorker(me, 'reads', mapping.handle());
  assert.equal(await next(), 5);
  assert.equal(areas(path).length, 1, 'mapped once');
  assert.throws(() => mapping.resize(4096), { code: 'EBUSY' });
  mapping.view(Int32Array)[1] = 6;
  worker.postMessage('read');
  assert.equal(await next(), 6);
  mapping.unmapSync();
  worker.postMessage('read');
  assert.equal(await next(), 6, 'the other side still has it');
  assert.equal(areas(path).length, 1);
  worker.postMessage('unmap');
  await next();
  assert.deepEqual(areas(path), []);
  worker.postMessage('read');
  assert.equal(await next(), undefined);
  worker.postMessage('end');
  await ended;
};

export const cases = {
  async 'a worker that ends leaves no mapping'() {
    await hold('end');
  },

  async 'a worker that is terminated leaves no mapping'() {
    await hold('terminate');
  },

  async 'a worker that is terminated in the middle of an access'() {
    if (runtime === 'deno') skip('does not stop a worker that never returns');
    const path = makeFile(LENGTH, 1);
    for (let i = 0; i < 5; i++) {
      const { worker, next } = startWorker(me, 'hammers', path);
      await next();
      await worker.terminate();
    }
    await until(() => areas(path).length === 0, 'the file is let go');
  },

  async 'attach() in a worker joins the mapping that is there'() {
    await joinAndPart(makeFile(LENGTH));
    await until(() => mappings().length === 0, 'the address is given back');
  },

  async 'unmap() in the worker leaves the mapping of the main thread'() {
    for (const memory of [mapFile(makeFile(LENGTH)), anonymous(LENGTH, { sharing: 'shared' }), anonymous(LENGTH)]) {
      memory.view(Int32Array)[1] = 5;
      const { worker, next, ended } = startWorker(me, 'reads', memory.handle());
      assert.equal(await next(), 5);
      worker.postMessage('unmap');
      await next();
      assert.equal(memory.view(Int32Array)[1], 5);
      worker.postMessage('end');
      await ended;
      assert.equal(memory.view(Int32Array)[1], 5);
      memory.unmapSync();
    }
  },

  async 'a worker that ends with an attached mapping leaves the other side'() {
    const path = makeFile(LENGTH);
    const mapping = mapFile(path);
    mapping.view(Int32Array)[1] = 5;
    const { worker, next } = startWorker(me, 'reads', mapping.handle());
    await next();
    await worker.terminate();
    assert.equal(mapping.view(Int32Array)[1], 5);
    assert.equal(areas(path).length, 1);
    mapping.unmapSync();
    await until(() => areas(path).length === 0, 'the file is let go');
  },

  async 'attach() outlives the worker that mapped'() {
    const path = makeFile(LENGTH, 7);
    const { worker, next, ended } = startWorker(me, 'gives', path);
    const mapping = attach(await next());
    worker.postMessage('end');
    await ended;
    assert.equal(mapping.bytes[9], 7);
    mapping.unmapSync();
    await until(() => areas(path).length === 0, 'the file is let go');
    assert.throws(
      () => attach({ v: 1, kind: 'process', name: '0'.repeat(32), pid: process.pid, access: 'read', length: 1 }),
      {
        code: 'ERR_OWNER_GONE',
      },
    );
  },

  async 'a shared buffer in a worker, and unmap() meanwhile'() {
    needsShared();
    const path = makeFile(LENGTH);
    const mapping = mapFile(path);
    const { worker, next, ended } = startWorker(me, 'counts', mapping.sharedBuffer);
    await next();
    const view = mapping.sharedView(Int32Array);
    while (Atomics.load(view, 1) === 0);
    mapping.unmapSync();
    assert.deepEqual(areas(path), []);
    assert.equal(mapping.length, 0);
    Atomics.store(view, 0, -1);
    assert.equal(await next(), 'saw the end');
    await worker.terminate();
    await ended;
  },

  async 'a shared buffer outlives the worker that mapped'() {
    needsShared();
    const { next, ended } = startWorker(me, 'shares');
    let shared = await next();
    await ended;
    const view = new Int32Array(shared);
    view.fill(3);
    assert.ok(view.every((value) => value === 3));
    assert.equal(mappings().length, 1);
    await (async () => {
      const other = startWorker(me, 'counts', shared);
      await other.next();
      await other.worker.terminate();
    })();
    view.fill(4);
    shared = undefined;
  },

  'two workers load the addon and end, then the main thread loads it'() {
    const { how, stdout, stderr } = runProgram('reload.mjs');
    assert.deepEqual({ how, stdout }, { how: 0, stdout: '65536' }, stderr);
  },
};
