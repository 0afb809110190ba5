// node examples/clients/msgpack-log.mjs    a log of MessagePack records, whose writer is killed again and again
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, fdatasync, openSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { decode } from '@msgpack/msgpack';
import { randomNumbers, short, temporaryFolder } from './lib/common.mjs';
import { frame, Log, PREFIX } from './lib/log.mjs';

const KILLS = short ? 5 : 30;
const RECORDS = short ? 2000 : 50_000;
const BATCH = 20;
const event = (number) => ({ number, text: 'x'.repeat(number % 1000), tags: ['first', 'second'] });

/** Appends until it is killed, and says how far it has got on the disk. */
const appendForEver = async (file, from) => {
  const log = new Log(file);
  for (let number = from; ; number++) {
    log.append(event(number));
    if (number % BATCH !== BATCH - 1) continue;
    await log.sync();
    process.send(number);
  }
};

/** What is in the log when it is opened again. */
const reopened = async (file) => {
  const log = new Log(file);
  const numbers = [...log.values()].map(({ number }) => number);
  await log.close();
  return numbers;
};

const survive = async (file) => {
  const random = randomNumbers(Date.now());
  let count = 0;
  let promised = -1;
  for (let kill = 0; kill < KILLS; kill++) {
    const child = fork(process.argv[1], [file, String(count)]);
    child.on('message', (number) => {
      promised = number;
    });
    await once(child, 'message');
    await delay(random() * 50);
    child.kill('SIGKILL');
    await Promise.all([once(child, 'exit'), once(child, 'disconnect')]); // all that it said has been heard
    const numbers = await reopened(file);
    const inOrder = numbers.every((number, i) => number === i);
    assert.ok(inOrder, 'records are whole, and in order');
    assert.ok(numbers.length > promised, `${promised} was promised, of ${numbers.length}`);
    count = numbers.length;
  }
  console.log(`killed ${KILLS} times: ${promised + 1} records had been promised, and ${count} are there`);

  // as a power failure may leave it: the first half has come to the disk
  const torn = frame(event(count));
  torn.fill(0, Math.floor(torn.length / 2));
  appendFileSync(file, torn);
  assert.equal((await reopened(file)).length, count);
  console.log(`a record of ${torn.length} bytes that is torn is cut off`);
};

class Written {
  #fd;
  #end = 0;

  constructor(file) {
    this.#fd = openSync(file, 'w+');
  }

  append(value) {
    const start = this.#end;
    this.#end += writeSync(this.#fd, frame(value), 0, undefined, start);
    return start;
  }

  sync() {
    return promisify(fdatasync)(this.#fd);
  }

  at(start) {
    const prefix = Buffer.alloc(PREFIX);
    readSync(this.#fd, prefix, 0, PREFIX, start);
    const bytes = Buffer.alloc(prefix.readUInt32LE(0));
    readSync(this.#fd, bytes, 0, bytes.length, start + PREFIX);
    return decode(bytes);
  }

  close() {
    closeSync(this.#fd);
  }
}

const microseconds = (milliseconds) => `${((milliseconds * 1000) / RECORDS).toFixed(1).padStart(6)} µs`;

const compare = async (name, log) => {
  const random = randomNumbers(3);
  const starts = [];
  const began = performance.now();
  for (let number = 0; number < RECORDS; number++) {
    starts.push(log.append(event(number)));
    if (number % BATCH === BATCH - 1) await log.sync();
  }
  const appended = performance.now();
  for (let i = 0; i < RECORDS; i++) {
    const number = Math.floor(random() * RECORDS);
    assert.equal(log.at(starts[number]).number, number);
  }
  const toAppend = microseconds(appended - began);
  const toRead = microseconds(performance.now() - appended);
  await log.close();
  console.log(`${name.padEnd(22)}to append ${toAppend}, to read one at random ${toRead}`);
};

if (process.argv[2] === undefined) {
  const folder = temporaryFolder();
  await survive(join(folder, 'killed.log'));
  console.log(`${RECORDS} records, on the disk after every ${BATCH}:`);
  await compare('mapped', new Log(join(folder, 'mapped.log')));
  await compare('writeSync, readSync', new Written(join(folder, 'written.log')));
} else {
  await appendForEver(process.argv[2], Number(process.argv[3]));
}
