// Test runners, each file of which is a realm of its own, and realms made by hand.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, commandOf, folder, makeProject, on, program, run, tools } from '../harness.mjs';

const FILES = { 'one.test.js': program('sandboxed.test.js'), 'two.test.js': program('sandboxed.test.js') };

/** Runs both files in one process, and returns what the runner says. */
const tested = async (name, words, more) => {
  const project = makeProject({ 'package.json': '{"private":true,"type":"module"}', ...FILES, ...more });
  const file = join(folder, 'mapped');
  writeFileSync(file, 'mapped');
  const [command] = commandOf(name);
  const env = { ...process.env, MMAP_CASE_FILE: file };
  const { how, stdout, stderr } = await run(command, words(project), { cwd: project, env });
  assert.equal(how, 0, `${stdout}${stderr}`);
  return `${stdout}${stderr}`;
};

const jest = async (name) => {
  const config = JSON.stringify({
    testEnvironment: 'node',
    transform: {},
    maxWorkers: 1,
    cache: false,
    watchman: false,
  });
  const words = (project) => [
    '--experimental-vm-modules',
    join(tools, 'jest/bin/jest.js'),
    `--config=${config}`,
    `--rootDir=${project}`,
    '--runInBand',
  ];
  assert.match(await tested(name, words), /Tests: +8 passed, 8 total/);
};

const vitest = (pool) => async () => {
  const words = (project) => [
    join(tools, 'vitest/vitest.mjs'),
    'run',
    '--globals',
    `--root=${project}`,
    `--pool=${pool}`,
    '--no-file-parallelism',
    '--no-isolate',
  ];
  assert.match(await tested('Node.js 20', words), /Tests +8 passed \(8\)/);
};

export const cases = {
  ...Object.fromEntries(NODES.map((name) => [`jest on ${name}`, on([name], () => jest(name))])),
  'vitest, forks': on(['Node.js 20'], vitest('forks')),
  'vitest, threads': on(['Node.js 20'], vitest('threads')),
  'vitest, vmThreads': on(['Node.js 20'], vitest('vmThreads')),
};
