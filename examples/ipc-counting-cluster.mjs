// node examples/ipc-counting-cluster.mjs    a cluster of HTTP workers that count in one table, under a Mutex
import assert from 'node:assert/strict';
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer, get } from 'node:http';
import { attach, mmap } from 'mmap-native';
import { Mutex } from 'mmap-native/ipc';

const WORKERS = 2;
const REQUESTS = 200;
// the lock, then the table: requests, the sum of their lengths, and requests of each worker
const LOCK = 0;
const TABLE = Mutex.BYTES;

if (cluster.isPrimary) {
  const memory = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
  const handle = JSON.stringify(memory.handle());
  const workers = Array.from({ length: WORKERS }, (_, i) => cluster.fork({ MEMORY: handle, NUMBER: String(i) }));
  const ports = await Promise.all(workers.map(async (worker) => (await once(worker, 'message'))[0]));
  for (let i = 0; i < REQUESTS; i++) {
    const [response] = await once(get({ port: ports[0], path: `/${'x'.repeat(i)}`, agent: false }), 'response');
    response.resume();
    await once(response, 'end');
  }
  const [requests, bytes, ...each] = memory.view(Float64Array, TABLE, 8 * (2 + WORKERS));
  for (const worker of workers) worker.disconnect();
  assert.equal(requests, REQUESTS);
  assert.equal(bytes, (REQUESTS * (REQUESTS + 1)) / 2);
  console.log(`${requests} requests, ${bytes} bytes of paths, by worker: ${each.join(', ')}`);
} else {
  const memory = attach(JSON.parse(process.env.MEMORY));
  const table = memory.view(Float64Array, TABLE, 8 * (2 + WORKERS));
  // a worker that is killed in the middle leaves the sum in doubt: here, the parts say what it must be
  const repair = () => (table[0] = table.subarray(2).reduce((sum, count) => sum + count, 0));
  const mutex = new Mutex(memory, LOCK, { recover: repair });
  const server = createServer(async (request, response) => {
    const guard = await mutex.lock();
    table[0] += 1;
    table[1] += request.url.length;
    table[2 + Number(process.env.NUMBER)] += 1;
    guard.unlock();
    response.end();
  });
  server.listen(0, () => process.send(server.address().port));
}
