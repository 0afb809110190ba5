import { readFileSync } from 'node:fs';
import { PerformanceObserver } from 'node:perf_hooks';

/** What the kernel and the collector have counted of this process up to now. */
const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);

let collections = 0;
try {
  new PerformanceObserver((list) => (collections += list.getEntries().filter(isFull).length)).observe({
    entryTypes: ['gc'],
  });
} catch {
  collections = undefined; // a runtime that does not tell
}

/** Mark-compacts and the incremental marking that leads to them; scavenges are everybody's daily bread. */
function isFull(entry) {
  return entry.detail.kind !== 1;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

export const readCounters = async () => {
  await turn(); // the observer is told of collections a turn later
  const { minorPageFault, majorPageFault } = process.resourceUsage();
  const io = readFileSync('/proc/self/io', 'utf8');
  return { minorFaults: minorPageFault, majorFaults: majorPageFault, diskBytes: field(io, 'read_bytes'), collections };
};

/** What happened between two readings. */
export const difference = (before, after) =>
  Object.fromEntries(
    Object.entries(after).flatMap(([name, value]) => (value === undefined ? [] : [[name, value - before[name]]])),
  );

/** Bytes in memory: what is this process's own, and what it has mapped of files. */
export const residentBytes = () => {
  const status = readFileSync('/proc/self/status', 'utf8');
  return {
    ownBytes: field(status, 'RssAnon') * 1024,
    fileBytes: (field(status, 'RssFile') + field(status, 'RssShmem')) * 1024,
  };
};
