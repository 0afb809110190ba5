import { mmap } from 'mmap-native';
import { hex, invert, middleOf, readHex } from '../bytes.mjs';
import { Cell, median } from '../cell.mjs';
import { run } from '../children.mjs';
import { humanBytes } from '../terminal.mjs';

/** MAP_PRIVATE of a file: it can be written to in memory, and never changes. */
export const privateFile = async ({ file, size }) => {
  const cell = new Cell(
    'file, private: read a file as if it were memory',
    `The whole file gets addresses at once, and no byte of it is copied: the kernel shows its own page cache, a page at the
     first touch of it. What this process writes goes to a copy of that one page (copy-on-write), which nobody else sees.
     Made for: reading big files, many processes that read the same one.`,
  );
  const options = { backing: 'file', sharing: 'private', access: 'readwrite', file };
  const { text, ...place } = middleOf(size);
  const before = readHex(file, place);
  const mapping = await cell.map(options);
  const bytes = mapping.view(Uint8Array, place.offset, place.length);

  cell.holds('bytes', text);
  cell.holds('the file, before', before);
  cell.claim('the mapping has the bytes of the file', hex(bytes), before);
  const touched = cell.look(mapping, 'after a read');
  cell.claim('reading has copied nothing: no page is anonymous', touched.smaps.anonymous, 0);

  invert(bytes);
  const here = hex(bytes);
  const written = cell.look(mapping, 'after a write');
  const other = await run('peer.mjs', { do: 'look', file, ...place });
  cell.holds('this process', here);
  cell.holds(`process ${other.pid}`, other.mapped);
  cell.holds('the file, now', other.read);
  cell.claim('this process sees its change', here !== before);
  cell.claim('another process that maps the file does not', other.mapped, before);
  cell.claim('and the file has not changed', other.read, before);
  cell.claim(
    'the kernel says private and writable: wr, without sh',
    [written.smaps.vmFlags.includes('wr'), written.smaps.vmFlags.includes('sh')],
    [true, false],
  );
  const { pageSize } = mapping.residencySync({ length: 0 });
  cell.claim('the write has copied one page, and no more', written.smaps.anonymous, pageSize);

  mapping.unmapSync();
  cell.claim('after unmap() the view is empty', bytes.length, 0);
  cell.cost(
    `to map and unmap ${humanBytes(size)}`,
    median(() => mmap(options).unmapSync()),
    'ms',
  );
  cell.cost('memory for the page that was written to', written.smaps.anonymous, 'bytes');
  return cell;
};
