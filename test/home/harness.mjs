// What a case needs: projects that have the package, the runtimes, and the recipes of docs/environments.md.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));
const runtimes = join(root, 'test/runtimes/node_modules');
const node = (name) => [join(runtimes, name, 'bin/node')];
const COMMANDS = {
  'Node.js 20': node('node20'),
  'Node.js 22': node('node22'),
  'Node.js 24': node('node24'),
  'Node.js 26': node('node26'),
  Bun: [join(runtimes, '@oven/bun-linux-x64/bin/bun')],
  Deno: [join(runtimes, '@deno/linux-x64-glibc/deno'), 'run', '-A', '--quiet'],
};
const LIMIT = 60_000;

export const NODES = ['Node.js 20', 'Node.js 22', 'Node.js 24', 'Node.js 26'];
export const ALL = [...NODES, 'Bun', 'Deno'];
/** What all the cases of one run share: the tarball, and a project that it was installed in. */
export const { MMAP_TARBALL: tarball, MMAP_PROJECT: project = '' } = process.env;
export const tools = fileURLToPath(new URL('node_modules', import.meta.url));
/** Of this case alone; whoever runs it removes it. Where cases are only listed, there is none. */
export const folder = process.env.MMAP_CASE_DIR ?? '';

/** A case that runs on each of these runtimes: case.mjs sees to it that it did. */
export const on = (names, body) => ({ on: names, body });
/** The names of the runtimes that were used. */
export const used = new Set();

/** Thrown where this machine lacks what a case is about. */
export class Skipped extends Error {}

export const skip = (reason) => {
  throw new Skipped(reason);
};

/** A command to its end: how it ended, and what it said. */
export const run = (command, words, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(command, words, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'], timeout: LIMIT, ...options });
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text) => (output.stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (output.stderr += text));
    child.on('error', reject);
    child.on('close', (status, signal) => resolve({ how: signal ?? status, ...output }));
  });

/** The same, of what has to succeed: what it printed. */
export const output = async (command, words, options) => {
  const { how, stdout, stderr } = await run(command, words, options);
  assert.equal(how, 0, `${command} ${words.join(' ')}: ${how}\n${stdout}${stderr}`);
  return stdout.trim();
};

/** The command of a runtime, and the words that go before a program's. */
export const commandOf = (name) => {
  const [command, ...words] = COMMANDS[name];
  if (!existsSync(command))
    skip(`${command} is not installed (npm ci --prefix test/runtimes --force --ignore-scripts)`);
  used.add(name);
  return [command, words];
};

/** What a program prints on a runtime, by name. */
export const printed = (name, words, options) => {
  const [command, first] = commandOf(name);
  return output(command, [...first, ...words], options);
};

/** What it says before it fails. */
export const complaint = async (name, words, options) => {
  const [command, first] = commandOf(name);
  const { how, stdout, stderr } = await run(command, [...first, ...words], options);
  assert.equal(how, 1, `${words.join(' ')} had to fail: ${stdout}`);
  return stderr;
};

/** A folder with these files, the package (a copy that nobody else uses) and these tools in its node_modules. */
export const makeProject = (files, names = []) => {
  const made = mkdtempSync(join(folder, 'project-'));
  const modules = join(made, 'node_modules');
  cpSync(join(project, 'node_modules'), modules, { recursive: true });
  for (const name of names) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(tools, name), join(modules, name));
  }
  for (const [name, text] of Object.entries({ 'package.json': '{"private":true}', ...files }))
    writeFileSync(join(made, name), text);
  return made;
};

/** A program of programs/. */
export const program = (name) => readFileSync(new URL(`programs/${name}`, import.meta.url), 'utf8');

/** A folder of a project where it goes to run: elsewhere, and the project is no longer there. */
export const deploy = (from, out) => {
  const deployed = mkdtempSync(join(folder, 'deployed-'));
  renameSync(join(from, out), join(deployed, 'app'));
  renameSync(from, `${from}-gone`);
  return join(deployed, 'app');
};

const page = () => readFileSync(join(root, 'docs/environments.md'), 'utf8');

/** What docs/environments.md says that a message says. */
export const documented = (message) => {
  assert.ok(page().includes(message), `docs/environments.md does not have: ${message}`);
  return message;
};

/** The code block below a heading of docs/environments.md. */
export const recipe = (heading) => {
  const [, section] = page().split(new RegExp(`^#+ ${heading}$`, 'm'));
  assert.ok(section, `docs/environments.md has no heading ${heading}`);
  return /^```(?:mjs|cjs|bash)\n([\s\S]*?)^```$/m.exec(section)[1];
};
