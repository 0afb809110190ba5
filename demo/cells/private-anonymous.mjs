import { mmap } from 'mmap-native';
import { Cell, kernelOf, median } from '../cell.mjs';
import { run } from '../children.mjs';
import { humanBytes } from '../terminal.mjs';

const LENGTH = 64 * 2 ** 20;

/** How long it takes to make every page of fresh memory present, and how much of it came as huge pages. */
const populateAll = (options) => {
  const mapping = mmap(options);
  const start = performance.now();
  mapping.populateSync();
  const took = performance.now() - start;
  const { anonHugePages } = kernelOf(LENGTH).smaps;
  mapping.unmapSync();
  return { took, huge: humanBytes(anonHugePages) };
};

/** MAP_PRIVATE | MAP_ANONYMOUS: fresh memory. */
export const privateAnonymous = async () => {
  const cell = new Cell(
    'anonymous, private: zeros, as many as you like',
    `No file: the kernel promises zeros, and finds the memory for a page when it is written to for the first time. This is
     what malloc() is made of. Made for: large buffers of which perhaps only a part is used. Given back whole by unmap().`,
  );
  const options = { backing: 'anonymous', sharing: 'private', length: LENGTH };
  const mapping = await cell.map(options);
  cell.claim('not one page of it is in memory yet', mapping.residencySync().resident, 0);

  const words = mapping.view(BigUint64Array);
  const { pageSize } = mapping.residencySync({ length: 0 });
  let zero = true;
  for (let i = 0; i < words.length; i += pageSize / 8) zero &&= words[i] === 0n;
  cell.claim('a look at every page finds zeros', zero);
  words[0] = 42n;
  const { resident } = mapping.residencySync({ offset: 0, length: 8 });
  const written = cell.look(mapping, 'after a write');
  cell.claim('the page that was written to is there', resident, 1);
  cell.claim(
    'the kernel says private and writable: wr, without sh',
    [written.smaps.vmFlags.includes('wr'), written.smaps.vmFlags.includes('sh')],
    [true, false],
  );

  const other = await run('peer.mjs', { do: 'reach', handle: mapping.handle() });
  cell.holds('this process', `${words[0]} in the first word, 0 in all others`);
  cell.holds(`process ${other.pid}`, `${other.code}: there is no way to this memory from outside`);
  cell.holds('a file', 'there is none');
  cell.claim('another process cannot reach it', other.code, 'ERR_INVALID_STATE');

  mapping.unmapSync();
  cell.claim('after unmap() the view is empty', words.length, 0);
  cell.cost(
    'to map and unmap 64 MiB',
    median(() => mmap(options).unmapSync()),
    'ms',
  );
  for (const hugePages of [false, true]) {
    const { took, huge } = populateAll({ ...options, hugePages });
    cell.cost(`to populate() it, hugePages: ${hugePages} (${huge} of it huge)`, took, 'ms');
  }
  cell.cost('memory for what was written', written.smaps.rss, 'bytes');
  return cell;
};
