// The tarball, installed by every package manager, with install scripts and without.
import assert from 'node:assert/strict';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ALL,
  NODES,
  commandOf,
  documented,
  folder,
  on,
  printed,
  program,
  project,
  run,
  skip,
  tarball,
  tools,
} from '../harness.mjs';

const OUT_OF_REACH = /ENOTFOUND|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EAI_AGAIN|ConnectionRefused/;
const yarn = join(tools, '@yarnpkg/cli-dist/bin/yarn.js');

/** What they would keep in the user's home, and what one may leave for the next. */
const kept = join(project, '../kept');
const KEPT = {
  XDG_DATA_HOME: join(kept, 'data'),
  XDG_CACHE_HOME: join(kept, 'cache'),
  XDG_STATE_HOME: join(kept, 'state'),
  YARN_CACHE_FOLDER: join(folder, 'yarn'), // that of Yarn 1, which cannot share it
  YARN_GLOBAL_FOLDER: join(kept, 'yarn-global'),
  YARN_ENABLE_TELEMETRY: '0',
  YARN_ENABLE_IMMUTABLE_INSTALLS: '0', // there is no lock file yet
  BUN_INSTALL_CACHE_DIR: join(kept, 'bun'),
};

/** An installation in a project of its own, and what the manager has to say; returns the project. */
const install = async (command, words, files = {}, { status = 0, says = '' } = {}) => {
  const made = mkdtempSync(join(folder, 'project-'));
  const manifest = { private: true, dependencies: { 'mmap-native': `file:${tarball}` } };
  const all = { 'package.json': JSON.stringify(manifest), 'server.mjs': program('server.mjs'), ...files };
  for (const [name, text] of Object.entries(all)) writeFileSync(join(made, name), text);
  const { how, stdout, stderr } = await run(command, words, { cwd: made, env: { ...process.env, ...KEPT } });
  const said = `${stdout}${stderr}`;
  if (how !== status && OUT_OF_REACH.test(said)) skip(`the registry is out of reach: ${OUT_OF_REACH.exec(said)[0]}`);
  assert.equal(how, status, said);
  assert.ok(said.includes(documented(says)), said);
  return made;
};

const works = async (runtimes, made, place = 'node_modules', flags = []) => {
  for (const name of runtimes) {
    const { answer, binary } = JSON.parse(await printed(name, [...flags, 'server.mjs'], { cwd: made }));
    assert.equal(answer, 42);
    assert.ok(binary.startsWith(join(made, place)), `${name} found ${binary}`);
  }
};

const pnpm = (settings) => [
  join(tools, '@pnpm/exe.linux-x64/pnpm'),
  ['install'],
  { 'pnpm-workspace.yaml': `${settings}\n` },
];
const classic = [join(tools, 'yarn/bin/yarn.js'), 'install', '--non-interactive'];
const linked = (scripts) => [
  process.execPath,
  [yarn, 'install'],
  { '.yarnrc.yml': `nodeLinker: node-modules\nenableScripts: ${scripts}\n` },
];

/** Scripts change nothing in the layout: without them it is tried everywhere. */
const without = (...words) => on(ALL, async () => works(ALL, await install(...words)));
const ONE = ['Node.js 20'];
const withScripts = (...words) => on(ONE, async () => works(ONE, await install(...words)));

/** Runs it as `yarn node` does. */
const pnp = async () => {
  const made = await install(process.execPath, [yarn, 'install'], { '.yarnrc.yml': 'nodeLinker: pnp\n' });
  const flags = ['--require', join(made, '.pnp.cjs'), '--experimental-loader', join(made, '.pnp.loader.mjs')];
  await works(NODES, made, '.yarn/unplugged', flags);
};

export const cases = {
  'npm, with scripts': withScripts('npm', ['install', '--prefer-offline']),
  'npm, without scripts': without('npm', ['install', '--prefer-offline', '--ignore-scripts']),
  'pnpm, with scripts': withScripts(...pnpm('dangerouslyAllowAllBuilds: true')),
  'pnpm, without scripts': without(...pnpm('allowBuilds: { mmap-native: false }')),
  'pnpm, not told about scripts': without(...pnpm('{}'), { status: 1, says: 'ERR_PNPM_IGNORED_BUILDS' }),
  'Yarn 1, with scripts': withScripts(process.execPath, classic),
  'Yarn 1, without scripts': without(process.execPath, [...classic, '--ignore-scripts']),
  'Yarn 4, node-modules, with scripts': withScripts(...linked(true)),
  'Yarn 4, node-modules, without scripts': without(...linked(false), { says: 'all build scripts have been disabled' }),
  "Yarn 4, Plug'n'Play": on(NODES, pnp),
  'bun install': on(ALL, async () => {
    const [bun] = commandOf('Bun');
    await works(ALL, await install(bun, ['install'], {}, { says: 'Blocked 1 postinstall' }));
  }),
};
