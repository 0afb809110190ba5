// node examples/ipc-frames.mjs    a parent that feeds frames the size of an image to children, each through a Channel
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Channel } from 'mmap-native/ipc';

const WIDTH = 1280;
const HEIGHT = 720;
const BYTES = WIDTH * HEIGHT * 3;
const FRAMES = 60;
const CHILDREN = 2;

if (process.argv[2] === undefined) {
  const began = performance.now();
  const children = Array.from({ length: CHILDREN }, () => {
    // room for a few frames, so that nobody waits for a copy
    const channel = Channel.create({ capacity: 3 * BYTES });
    const child = fork(process.argv[1], [JSON.stringify(channel.handle())]);
    return { channel, exit: once(child, 'exit') };
  });
  for (let frame = 0; frame < FRAMES; frame++) {
    // written where the child reads it: no buffer in between
    await children[frame % CHILDREN].channel.out.writeWith(BYTES, (memory) => memory.fill(frame));
  }
  let sum = 0;
  for (const { channel, exit } of children) {
    channel.out.end();
    for await (const brightness of channel.values()) sum += Number(brightness);
    await exit;
    channel.close();
  }
  assert.equal(sum, (FRAMES * (FRAMES - 1)) / 2);
  const megabytes = Math.round((FRAMES * BYTES) / 1e6);
  console.log(
    `${FRAMES} frames, ${megabytes} MB, to ${CHILDREN} children in ${Math.round(performance.now() - began)} ms`,
  );
} else {
  const channel = Channel.attach(JSON.parse(process.argv[2]));
  while (await channel.in.readable()) {
    let brightness = 0;
    channel.in.tryRead((frame) => {
      brightness = frame[Math.floor(frame.length / 2)];
    });
    await channel.send(brightness);
  }
  channel.close();
}
