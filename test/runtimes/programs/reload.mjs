// Two workers load the addon and end, before this thread loads it: its code must not have gone with them.
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';

const loaded = () => readFileSync('/proc/self/maps', 'utf8').includes('.node\n');

if (loaded()) throw new Error('the addon was there before');
/** What it sent is forgotten with this call. */
const runWorker = async (task) => {
  const module = new URL('../cases/workers.mjs', import.meta.url).href;
  const worker = new Worker(new URL('../worker.mjs', import.meta.url), { workerData: { module, task } });
  const ended = once(worker, 'exit');
  await once(worker, 'message');
  await ended;
};

for (const task of ['shares', 'maps']) await runWorker(task);
if (!loaded()) throw new Error('the addon has gone with its last worker');
const { anonymous, gc, mappings, turn, until } = await import('../harness.mjs');
for (let i = 0; i < 5; i++) {
  gc();
  await turn();
}
const { bytes } = anonymous(65536);
bytes.fill(1);
await until(() => mappings().length === 1, 'what the workers had is given back');
process.stdout.write(`${bytes.length}`);
