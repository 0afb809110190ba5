// Single executables, made by the recipes of docs/environments.md and run where the project is no longer there.
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, commandOf, deploy, folder, makeProject, on, output, program, recipe, tools } from '../harness.mjs';

/** Follows a recipe of commands with one runtime; returns what it made, deployed. */
const build = async (name, commands, files = {}) => {
  const [command] = commandOf(name);
  const project = makeProject({ 'server.mjs': program('server.mjs'), ...files });
  const path = join(project, 'path');
  mkdirSync(path);
  symlinkSync(command, join(path, name === 'Bun' ? 'bun' : 'node'));
  const PATH = [path, join(tools, '.bin'), process.env.PATH].join(':');
  await output('bash', ['-euc', commands], { cwd: project, env: { ...process.env, PATH } });
  return deploy(project, 'out');
};

const NOT_OURS = 'prebuilds/linux-x64/mmap-native.node';

/** Started by its name alone, in a folder where somebody else has put a binary. */
const works = async (app, found) => {
  const elsewhere = join(folder, 'elsewhere');
  mkdirSync(join(elsewhere, NOT_OURS, '..'), { recursive: true });
  writeFileSync(join(elsewhere, NOT_OURS), 'not to be loaded');
  const env = { ...process.env, PATH: app };
  const { answer, binary } = JSON.parse(await output('server', [], { cwd: elsewhere, env }));
  assert.equal(answer, 42);
  assert.ok(binary.startsWith(found), binary);
};

const HEADINGS = {
  'Node.js 20': 'Single executable, Node.js 20, 22 and 24',
  'Node.js 22': 'Single executable, Node.js 20, 22 and 24',
  'Node.js 24': 'Single executable, Node.js 20, 22 and 24',
  'Node.js 26': 'Single executable, Node.js 26',
  Bun: "Bun's executables",
};

const beside = (name) => async () => {
  const app = await build(name, recipe(HEADINGS[name]));
  await works(app, join(app, 'prebuilds'));
};

const ASSETS = '"assets": { "mmap-native.node": "node_modules/mmap-native/prebuilds/linux-x64/mmap-native.node" }';

const inside = (name) => async () => {
  const commands = recipe(HEADINGS[name])
    .replace('esbuild server.mjs', 'esbuild entry.cjs')
    .replace('{ "main"', `{ ${ASSETS}, "main"`)
    .replace(/^cp -r.*$/m, '');
  const app = await build(name, commands, { 'entry.cjs': recipe('Single executable, binary inside') });
  assert.deepEqual(readdirSync(app), ['server']);
  await works(app, join(folder, 'server-')); // TMPDIR is the case's folder
};

export const cases = {
  ...Object.fromEntries(
    NODES.map((name) => [`single executable of ${name}, binary beside it`, on([name], beside(name))]),
  ),
  'single executable of Node.js 24, binary inside': on(['Node.js 24'], inside('Node.js 24')),
  'single executable of Bun, binary beside it': on(['Bun'], beside('Bun')),
};
