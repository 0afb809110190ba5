// Test runners, each file of which is a realm of its own, and realms made by hand.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, commandOf, documented, folder, makeProject, on, program, run, tools } from '../harness.mjs';

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

const jestWords = (project, more = []) => {
  const config = { testEnvironment: 'node', transform: {}, maxWorkers: 1, cache: false, watchman: false };
  const words = [`--config=${JSON.stringify(config)}`, `--rootDir=${project}`, '--runInBand'];
  return [join(tools, 'jest/bin/jest.js'), ...words, ...more];
};

const jest = async (name) => {
  const words = (project) => ['--experimental-vm-modules', ...jestWords(project)];
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
  for (const name of NODES) assert.match(await tested(name, words), /Tests +8 passed \(8\)/);
};

const WITHOUT_FLAG = {
  'require.test.cjs': ["test('it', () => require('mmap-native'));", 'Must use import to load ES Module'],
  'import.test.cjs': [
    "test('it', () => import('mmap-native'));",
    'A dynamic import callback was invoked without --experimental-vm-modules',
  ],
};

const withoutFlag = async () => {
  const files = Object.entries(WITHOUT_FLAG).map(([name, [text]]) => [name, text]);
  const project = makeProject(Object.fromEntries(files));
  const [command] = commandOf('Node.js 20');
  const { how, stderr } = await run(command, jestWords(project, ['--testMatch=**/*.test.cjs']));
  assert.equal(how, 1);
  for (const [, says] of Object.values(WITHOUT_FLAG)) assert.ok(stderr.includes(documented(says)), stderr);
};

export const cases = {
  ...Object.fromEntries(NODES.map((name) => [`jest on ${name}`, on([name], () => jest(name))])),
  'jest without its flag': on(['Node.js 20'], withoutFlag),
  'vitest, threads': on(NODES, vitest('threads')),
  'vitest, vmThreads': on(NODES, vitest('vmThreads')),
};
