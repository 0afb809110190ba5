// node examples/ipc-instead-of-send.mjs    process.send() and its messages, through memory: ten lines that differ
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { Channel } from 'mmap-native/ipc';

const REQUESTS = 20_000;

if (process.argv[2] === undefined) {
  const channel = Channel.create();
  fork(process.argv[1], [JSON.stringify(channel.handle())]);

  // was: child.on('message', …)
  const answers = (async () => {
    let sum = 0;
    for await (const { square } of channel.values()) sum += square;
    return sum;
  })();

  // was: child.send({ number })
  const began = performance.now();
  for (let number = 1; number <= REQUESTS; number++) await channel.send({ number });
  channel.out.end();

  assert.equal(await answers, (REQUESTS * (REQUESTS + 1) * (2 * REQUESTS + 1)) / 6);
  channel.close();
  console.log(`${REQUESTS} questions and answers in ${Math.round(performance.now() - began)} ms`);
} else {
  // was: process.on('message', ({ number }) => process.send({ square: number * number }))
  const channel = Channel.attach(JSON.parse(process.argv[2]));
  for await (const { number } of channel.values()) await channel.send({ square: number * number });
  channel.close();
}
