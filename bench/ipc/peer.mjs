// The other side of bench/ipc/run.mjs: answers, or swallows, and then says what processor time it took.
import { connect } from 'node:net';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { Channel, Queue } from '../../dist/ipc/index.js';

const { task, handle, path, count, size } = isMainThread ? JSON.parse(process.argv[2]) : workerData;
const tell = isMainThread ? process.send.bind(process) : parentPort.postMessage.bind(parentPort);
const hear = (listener) => (isMainThread ? process : parentPort).on('message', listener);

const finish = () => {
  const { user, system } = process.cpuUsage();
  tell({ cpu: (user + system) / 1000 });
  if (isMainThread) setImmediate(() => process.disconnect());
  else parentPort.close();
};

const swallow = (each = 1) => {
  let seen = 0;
  return (messages = each) => {
    seen += messages;
    if (seen >= count) finish();
  };
};

const tasks = {
  async 'answer sync'() {
    const { in: from, out } = Channel.attach(handle);
    for (let message = from.readSync(); message !== undefined; message = from.readSync()) out.writeSync(message);
    finish();
  },
  async 'answer spinning'() {
    const { in: from, out } = Channel.attach(handle);
    const answer = (message) => out.tryWrite(message);
    for (let peer = true; peer; peer = from.peer === 'alive') for (let i = 0; i < 1e6; i++) from.tryRead(answer);
    finish();
  },
  async 'answer async'() {
    const { in: from, out } = Channel.attach(handle);
    for await (const message of from) if (!out.tryWrite(message)) await out.write(message);
    finish();
  },
  async 'answer message'() {
    hear((message) => (message === null ? finish() : tell(message)));
  },
  async 'answer socket'() {
    const socket = connect(path);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', finish);
  },
  async 'swallow sync'() {
    const consumer = Queue.attach(handle).consumer();
    let sum = 0;
    let seen = 0;
    while (consumer.readableSync()) seen += consumer.drain((message) => (sum += message[0]));
    if (seen === count) finish();
  },
  async 'swallow drain'() {
    const consumer = Queue.attach(handle).consumer();
    let sum = 0;
    let seen = 0;
    while (await consumer.readable()) seen += consumer.drain((message) => (sum += message[0]));
    if (seen === count) finish();
  },
  async 'swallow iterate'() {
    const consumer = Queue.attach(handle).consumer();
    let seen = 0;
    for await (const message of consumer) if (message.length === size) seen++;
    if (seen === count) finish();
  },
  async 'swallow message'() {
    const done = swallow();
    hear(() => done());
  },
  async 'swallow socket'() {
    let bytes = 0;
    const socket = connect(path);
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes === count * size) finish();
    });
  },
};

await tasks[task]();
// who only listens says that it does
if (task.endsWith('message')) tell('ready');
