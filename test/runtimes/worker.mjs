// The other end of startWorker().
import { parentPort, workerData } from 'node:worker_threads';

const { module, task, data } = workerData;
const tasks = await import(module);
await tasks[task](data, parentPort);
