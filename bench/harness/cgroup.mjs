import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { Unavailable } from './library.mjs';

const V2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
const ROOT = V2 ? '/sys/fs/cgroup' : '/sys/fs/cgroup/memory';
const FILES = V2
  ? { limit: 'memory.max', peak: 'memory.peak' }
  : { limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes' };

/** Puts this process into a group of its own with so much memory; the page cache that it fills counts. Wants root. */
export const joinMemoryGroup = (prefix, limit) => {
  const path = `${ROOT}/${prefix}-${process.pid}`;
  try {
    mkdirSync(path);
    writeFileSync(`${path}/${FILES.limit}`, `${limit}`);
    writeFileSync(`${path}/cgroup.procs`, `${process.pid}`);
  } catch (error) {
    throw new Unavailable(`no cgroup with a memory limit can be made here (${error.code})`);
  }
  /** The most that the group ever had, in bytes. */
  return () => Number(readFileSync(`${path}/${FILES.peak}`, 'utf8'));
};

/** The groups are empty by now, and may go. */
export const removeMemoryGroups = (prefix) => {
  if (!existsSync(ROOT)) return;
  for (const name of readdirSync(ROOT)) if (name.startsWith(`${prefix}-`)) rmdirSync(`${ROOT}/${name}`);
};
