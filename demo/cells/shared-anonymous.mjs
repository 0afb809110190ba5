import { mmap } from 'mmap-native';
import { Channel } from 'mmap-native/ipc';
import { Cell, median } from '../cell.mjs';
import { run } from '../children.mjs';
import { withProgress } from '../terminal.mjs';

const LENGTH = 2 ** 20;
const TIMES = 1_000_000;

const QUESTIONS = 1000;

/** A child is asked, and answers, through such memory: what came back, and how long a question took. */
const converse = async () => {
  const channel = Channel.create({ capacity: 65536 });
  const child = run('peer.mjs', { do: 'converse', handle: channel.handle() });
  const answers = [];
  const took = [];
  for (let number = 0; number < QUESTIONS; number++) {
    const start = performance.now();
    await channel.send({ number });
    answers.push(await channel.receive());
    took.push(performance.now() - start);
  }
  channel.out.end();
  const { pid } = await child;
  channel.close();
  return { pid, answers, took: took.toSorted((a, b) => a - b)[QUESTIONS / 2] };
};

/** MAP_SHARED over a memfd: memory between processes. */
export const sharedAnonymous = async () => {
  const cell = new Cell(
    'anonymous, shared: memory between processes',
    `Zeros again, but whoever gets a handle() joins the very same pages with attach(): a worker, a child, any process of the
     user. The kernel's name for such memory is a memfd: a file without a name or a disk. It is sealed, so that nobody can cut
     it short under the others. Made for: talking between processes without copying.`,
  );
  const options = { backing: 'anonymous', sharing: 'shared', length: LENGTH };
  const mapping = await cell.map(options);
  const counters = mapping.view(Int32Array);
  cell.claim(
    'it begins as zeros',
    counters.every((value) => value === 0),
  );

  Atomics.store(counters, 1, process.pid);
  const task = { do: 'count', handle: mapping.handle(), times: TIMES };
  const start = performance.now();
  const [one, two] = await withProgress('counting', () => Promise.all([run('peer.mjs', task), run('peer.mjs', task)]));
  const took = performance.now() - start;
  const written = cell.look(mapping, 'after the writes');
  const asked = await converse();
  const [last] = asked.answers.slice(-1);
  cell.holds('this process', `wrote ${process.pid}, found ${Atomics.load(counters, 2)}`);
  for (const { pid, found } of [one, two]) cell.holds(`process ${pid}`, `found ${found}, wrote ${pid}`);
  cell.holds(
    'both',
    `added 1 a ${TIMES.toLocaleString('en')} times: ${Atomics.load(counters, 0).toLocaleString('en')}`,
  );
  cell.holds(`process ${asked.pid}`, `was asked ${QUESTIONS} times through a Channel, the last answer: ${last.square}`);
  cell.holds('a file', 'there is none');
  cell.claim('two other processes see what this one wrote', [one.found, two.found], [process.pid, process.pid]);
  cell.claim('this one sees what they wrote', [one.pid, two.pid].includes(Atomics.load(counters, 2)));
  cell.claim('Atomics hold between processes: no addition was lost', Atomics.load(counters, 0), 2 * TIMES);
  cell.claim(
    'a child answers through a Channel: each question, in order',
    asked.answers,
    Array.from({ length: QUESTIONS }, (_, number) => ({ pid: asked.pid, square: number ** 2 })),
  );
  cell.claim(
    'the kernel says shared and writable: sh and wr',
    [written.smaps.vmFlags.includes('sh'), written.smaps.vmFlags.includes('wr')],
    [true, true],
  );

  mapping.unmapSync();
  cell.claim('after unmap() the view is empty', counters.length, 0);
  cell.cost(
    'to create, seal, map and unmap it',
    median(() => mmap(options).unmapSync()),
    'ms',
  );
  cell.cost('to start two processes and count together', took, 'ms');
  cell.cost('a question and its answer through the Channel', asked.took, 'ms');
  cell.cost('memory, there once for all three processes', written.smaps.rss, 'bytes');
  return cell;
};
