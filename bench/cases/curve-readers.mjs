import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { makeFile, MiB } from '../harness/files.mjs';

const LENGTH = 64 * MiB;
const READER = fileURLToPath(new URL('../harness/reader.mjs', import.meta.url));

/** Proportional: a page that n processes share counts 1/n for each. */
const pssOf = (pid) => Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))[1]) * 1024;

const readers = (how) => ({
  setup:
    async ({ parameters, point }) =>
    async () => {
      const children = Array.from({ length: point }, () =>
        spawn(process.execPath, [READER, how, parameters.file], { stdio: ['pipe', 'pipe', 'inherit'] }),
      );
      try {
        await Promise.all(children.map((child) => once(child.stdout, 'data')));
        return { pssBytes: children.reduce((sum, { pid }) => sum + pssOf(pid), 0) };
      } finally {
        await Promise.all(
          children.map((child) => {
            const ended = once(child, 'exit');
            child.stdin.end();
            return ended;
          }),
        );
      }
    },
});

export default {
  name: 'curve-readers',
  order: 24,
  title: 'Processes that each have all of one 64 MiB file in memory',
  about:
    'All of their memory together (PSS: shared pages counted once). A Node process of its own takes what the idle row shows; ' +
    'mapped, the file is there once.',
  unit: 'fleet',
  operations: 1,
  rounds: 3,
  warmUps: 0,
  shown: ['pssBytes'],
  points: { name: 'processes', unit: 'count', values: [1, 4, 16, 64], short: [2] },
  prepare: ({ directory }) => ({ file: makeFile(directory, LENGTH) }),
  contestants: { idle: readers('idle'), mmap: readers('map'), readFileSync: readers('read') },
};
