import { statfsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mmap } from 'mmap-native';
import { hex, invert, middleOf, readHex } from '../bytes.mjs';
import { Cell, median } from '../cell.mjs';
import { run } from '../children.mjs';
import { humanBytes, withProgress } from '../terminal.mjs';

const LARGEST_COPY = 64 * 2 ** 20;
/** File systems that are memory, and have no disk to write to: tmpfs and ramfs. */
const IN_MEMORY = [0x01021994, 0x858458f6];

const copyOf = async (file, size, folder) => {
  const copy = join(folder, 'copy');
  const length = Math.min(size, LARGEST_COPY);
  const source = mmap({ backing: 'file', sharing: 'private', file, length });
  await withProgress('copying', () => writeFile(copy, source.bytes, { flush: true }));
  source.unmapSync();
  return { copy, length };
};

/** MAP_SHARED of a file: what is written to memory is written to the file. */
export const sharedFile = async ({ file, size, folder }) => {
  const { copy, length } = await copyOf(file, size, folder);
  const cell = new Cell(
    'file, shared: change a file by writing to memory',
    `The same pages, without the copy: a change is in the page cache at once, and so in the file as everybody sees it. The
     kernel brings it to the disk when it likes; sync() waits until it is there. Made for: databases, logs, memory that
     outlives its process. (The file given is not written to: this is ${length < size ? 'the beginning of it, copied' : 'a copy'}
     to a temporary folder.)`,
  );
  const options = { backing: 'file', sharing: 'shared', access: 'readwrite', file: copy };
  const { text, ...place } = middleOf(length);
  const before = readHex(copy, place);
  const mapping = await cell.map(options);
  const bytes = mapping.view(Uint8Array, place.offset, place.length);

  invert(bytes);
  const here = hex(bytes);
  const written = cell.look(mapping, 'after a write');
  const other = await run('peer.mjs', { do: 'look', file: copy, ...place });
  cell.holds('bytes', text);
  cell.holds('the copy, before', before);
  cell.holds('this process', here);
  cell.holds(`process ${other.pid}`, other.mapped);
  cell.holds('the copy, now', other.read);
  cell.claim('another process that maps the file sees the change, without a sync()', other.mapped, here);
  cell.claim('and so does one that reads the file', other.read, here);
  cell.claim(
    'the kernel says shared and writable: sh and wr',
    [written.smaps.vmFlags.includes('sh'), written.smaps.vmFlags.includes('wr')],
    [true, true],
  );
  cell.claim('no page was copied', written.smaps.anonymous, 0);
  const dirty = written.smaps.privateDirty + written.smaps.sharedDirty;
  cell.claim('the page waits for the disk: it is dirty', dirty > 0);

  const start = performance.now();
  await mapping.sync(place);
  cell.cost('to have the change on the disk: sync()', performance.now() - start, 'ms');
  const synced = cell.look(mapping, 'after sync()');
  if (!IN_MEMORY.includes(statfsSync(copy).type))
    cell.claim('after sync() it is clean', synced.smaps.privateDirty + synced.smaps.sharedDirty, 0);

  const back = await run('peer.mjs', { do: 'invert', file: copy, ...place });
  cell.holds('this process', `${hex(bytes)}  after process ${back.pid} wrote`);
  cell.claim('what another process writes is here at once, too', hex(bytes), before);

  mapping.unmapSync();
  cell.claim('the mapping is gone, the change is kept by the file', readHex(copy, place), before);
  cell.cost(
    `to map and unmap ${humanBytes(length)}`,
    median(() => mmap(options).unmapSync()),
    'ms',
  );
  cell.cost('memory of its own', synced.smaps.anonymous, 'bytes');
  return cell;
};
