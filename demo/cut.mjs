import { readFileSync, statSync, truncateSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mmap } from 'mmap-native';
import { digest, readHex } from './bytes.mjs';
import { checked } from './cell.mjs';
import { run } from './children.mjs';
import { withProgress } from './terminal.mjs';

const PAGES = 64;
const WRITTEN = 42;
/** Milliseconds that a reader gets before. */
const A_WHILE = 50;

/** A file of so many pages, filled with the beginning of another, and the place to cut it. */
const prepare = async (from, size, folder) => {
  const source = mmap({ backing: 'file', sharing: 'private', file: from });
  const { pageSize } = source.residencySync({ length: 0 });
  const length = PAGES * pageSize;
  const content = Buffer.alloc(length, source.view(Buffer, 0, Math.min(size, length)));
  source.unmapSync();
  const file = join(folder, 'cut');
  await writeFile(file, content);
  return { file, content, length, pageSize, kept: length / 2 };
};

/** Another process reads the file; this one cuts it meanwhile. What the reader tells, or the signal that it dies of. */
const cutUnderReader = async ({ file, content, kept, folder, onFault }) => {
  await writeFile(file, content);
  const cut = () => setTimeout(() => truncateSync(file, kept), A_WHILE);
  try {
    // a core dump, where the system makes one, goes to the folder
    return await run('reader.mjs', { file, kept, onFault }, { onProgress: cut, cwd: folder });
  } catch (error) {
    if (error.signal === undefined) throw error;
    return { pid: error.pid, signal: error.signal };
  }
};

const outcome = async (promise) => {
  try {
    return { value: await promise };
  } catch ({ code, offset }) {
    return { code, offset };
  }
};

/** This process writes to what another has cut off, and gets the bytes to the file once it is whole again. */
const writeBehindEnd = async ({ file, content, length, kept, pageSize }) => {
  await writeFile(file, content);
  const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
  const events = [];
  mapping.on('fault', (faults) => events.push(faults));
  const bytes = mapping.view(Uint8Array);
  const page = kept + 5 * pageSize;
  const place = { offset: page + 7, length: 1 };

  const { pid } = await run('peer.mjs', { do: 'truncate', file, length: kept });
  const start = performance.now();
  bytes[place.offset] = WRITTEN;
  const took = performance.now() - start;
  const { faultCount, faults } = mapping;
  const cut = { value: bytes[place.offset], size: statSync(file).size };
  const sync = await outcome(mapping.sync());
  const syncKept = await outcome(mapping.sync({ length: kept }));
  const fileKept = digest(readFileSync(file)) === digest(content.subarray(0, kept));

  await run('peer.mjs', { do: 'truncate', file, length });
  const verdict = mapping.verify();
  const whole = { value: bytes[place.offset], read: readHex(file, place) };
  const refused = await outcome(mapping.refresh());
  const refreshed = await outcome(mapping.refresh({ lostWrites: 'write-back' }));
  const syncAgain = await outcome(mapping.sync());
  const other = await run('peer.mjs', { do: 'look', file, ...place });
  const left = mapping.verify().lostPages;
  mapping.unmapSync();
  return {
    pid,
    page,
    place,
    took,
    faultCount,
    faults,
    events,
    cut,
    sync,
    syncKept,
    fileKept,
    verdict,
    whole,
    refused,
    refreshed,
    syncAgain,
    other,
    left,
  };
};

const claimsOf = ({ content, length, kept, pageSize }, lives, dies, write) => {
  const [fault] = lives.faults ?? [];
  const lost = { code: 'ERR_LOST_WRITES', offset: write.page };
  return [
    checked("onFault: 'report': the reader lives", lives.signal, undefined),
    checked(
      'faultCount told it at the very byte: faults names its page',
      fault?.first,
      lives.at - (lives.at % pageSize),
    ),
    checked(
      'the fault is one page, of the kind truncated, behind the new end',
      [fault?.kind, fault?.pages, fault?.first >= kept],
      ['truncated', 1, true],
    ),
    checked('what the file still has reads as before', lives.kept, digest(content.subarray(0, kept))),
    checked('what it no longer has reads as zeros', lives.restIsZero, true),
    checked("onFault: 'signal': the same reader dies of SIGBUS", dies.signal, 'SIGBUS'),
    checked('a byte written behind the end is kept in memory', write.cut, { value: WRITTEN, size: kept }),
    checked(
      'faults and faultCount say so at once',
      [write.faultCount, write.faults],
      [1, [{ kind: 'truncated', pages: 1, writes: 1, first: write.page, latest: write.page }]],
    ),
    checked('so does the event, soon after', write.events, [write.faults]),
    checked('sync() fails, and says where', write.sync, lost),
    checked(
      'sync() of what the file has does not, and the file has every byte of it',
      [write.syncKept.code, write.fileKept],
      [undefined, true],
    ),
    checked('verify(): the file is whole again, a page is still lost', write.verdict, {
      fileSize: length,
      covered: true,
      lostPages: 1,
    }),
    checked('the byte is here, and not yet in the file', write.whole, { value: WRITTEN, read: '00' }),
    checked('refresh() does not give it up unless told to', write.refused, lost),
    checked(
      "refresh({ lostWrites: 'write-back' }) brings it to the file, as another process sees",
      [write.refreshed.code, write.other.read, write.other.mapped, write.left],
      [undefined, '2a', '2a', 0],
    ),
    checked('now sync() is done', write.syncAgain.code, undefined),
  ];
};

/** What becomes of a mapping when its file is cut. */
export const cut = async ({ file, size, folder }) => {
  const prepared = await prepare(file, size, folder);
  const reader = (onFault) => cutUnderReader({ ...prepared, folder, onFault });
  const [lives, dies] = await withProgress('cutting', async () => [await reader('report'), await reader('signal')]);
  const write = await writeBehindEnd(prepared);
  const { length, kept, pageSize } = prepared;
  return { length, kept, pageSize, lives, dies, write, claims: claimsOf(prepared, lives, dies, write) };
};
