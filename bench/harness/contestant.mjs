// The process of one contestant: `contestant.mjs CASE NAME JSON`. Says when it is ready, then takes one number a line, does so
// many operations, and answers with one line of JSON. c/main.c speaks the same.
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Unavailable } from './library.mjs';
import { difference, readCounters, residentBytes } from './counters.mjs';

const reply = (message) => writeSync(1, `${JSON.stringify(message)}\n`);
const turn = () => new Promise((resolve) => setImmediate(resolve));

const [caseName, name, json] = process.argv.slice(2);
const context = JSON.parse(json);
const { default: definition } = await import(`../cases/${caseName}.mjs`);

let contestant;
try {
  const made = await definition.contestants[name].setup(context);
  contestant = typeof made === 'function' ? { run: made } : made;
} catch (error) {
  if (!(error instanceof Unavailable)) throw error;
  reply({ skip: error.message });
  process.exit(0);
}
reply({ ready: true });

for await (const line of createInterface({ input: process.stdin })) {
  const operations = Number(line);
  await contestant.before?.(operations);
  const counted = await readCounters();
  const start = process.hrtime.bigint();
  const result = contestant.run(operations);
  const extra = result instanceof Promise ? await result : result;
  // what the operations left to the event loop, such as finalizers, belongs to them
  if (definition.settle) await turn();
  const ns = Number(process.hrtime.bigint() - start);
  const memory = residentBytes();
  const counters = difference(counted, await readCounters());
  await contestant.after?.(operations);
  reply({ ns, ...counters, ...memory, ...(typeof extra === 'object' ? extra : {}) });
}
