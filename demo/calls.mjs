import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from './children.mjs';

const TRACED = 'mmap,memfd_create,fcntl';

/** Lines of strace, with the calls that another thread interrupted put together again. */
const wholeLines = (text) => {
  const unfinished = new Map();
  const lines = [];
  for (const line of text.split('\n')) {
    const [, pid, rest] = /^(\d+)\s+(.*)$/.exec(line) ?? [];
    if (rest === undefined) continue;
    if (rest.endsWith(' <unfinished ...>')) {
      unfinished.set(pid, rest.slice(0, -' <unfinished ...>'.length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    lines.push(resumed === null ? rest : `${unfinished.get(pid) ?? ''}${resumed[1]}`);
  }
  return lines.map((line) => line.replace(/\)\s+=/, ') ='));
};

/** The calls that made one mapping: its mmap, and what prepares and seals a memfd. */
const callsIn = (lines, address) => {
  const mmap = lines.findLast((line) => line.startsWith('mmap(') && line.endsWith(` = ${address}`));
  const memfd = /<\/memfd:([^>(]+)/.exec(mmap ?? '')?.[1];
  if (mmap === undefined) return [];
  if (memfd === undefined) return [mmap];
  const about = lines.filter((line) => line.includes(memfd));
  const creates = about.filter((line) => line.startsWith('memfd_create('));
  const seals = about.filter((line) => line.includes('F_ADD_SEALS'));
  return [...creates, mmap, ...seals];
};

const trace = async (options) => {
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-strace-'));
  const output = join(folder, 'calls');
  try {
    const through = ['strace', '-f', '-y', '-e', `trace=${TRACED}`, '-e', 'signal=none', '-o', output];
    const { address } = await run('peer.mjs', { do: 'map', options }, { through });
    return callsIn(wholeLines(readFileSync(output, 'utf8')), address);
  } finally {
    rmSync(folder, { recursive: true });
  }
};

/** The call that a mapping must have come from, by what the kernel has now. */
const derive = ({ smaps, offset, backing }) => {
  const prot = smaps.vmFlags.includes('wr') ? 'PROT_READ|PROT_WRITE' : 'PROT_READ';
  const nameless = backing === 'anonymous' && !smaps.maps[0].includes('/memfd:');
  const flags = (smaps.vmFlags.includes('sh') ? 'MAP_SHARED' : 'MAP_PRIVATE') + (nameless ? '|MAP_ANONYMOUS' : '');
  return `mmap(NULL, ${smaps.size}, ${prot}, ${flags}, ${nameless ? '-1' : 'FD'}, ${offset})`;
};

const withoutNumbers = (call) => call.replace(/, \d+<.*>(?:\(deleted\))?, /, ', FD, ').replace(/\) = .*$/, ')');

/** The exact system calls: as strace saw them in a child that did the same, or put together from the kernel's facts. */
export const callsFor = async (options, info) => {
  const derived = derive(info);
  let why = 'strace saw no such call';
  try {
    const calls = await trace(options);
    const mmap = calls.find((call) => call.startsWith('mmap('));
    if (mmap !== undefined) {
      const from = 'seen by strace in a child process that asked for the same';
      return { calls, from, differs: { traced: withoutNumbers(mmap), derived } };
    }
  } catch (error) {
    why = error.code === 'ENOENT' ? 'strace is not installed' : `strace did not run (${error.message})`;
  }
  return { calls: [derived], from: `put together from /proc/self/smaps: ${why}` };
};
