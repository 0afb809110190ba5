// Bundles of programs/server.mjs, made by the recipes of docs/environments.md and run where the project is no longer there.
import assert from 'node:assert/strict';
import { cpSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  ALL,
  NODES,
  complaint,
  deploy,
  makeProject,
  on,
  output,
  printed,
  program,
  project,
  recipe,
} from '../harness.mjs';

const TOOLS = ['esbuild', 'rollup', '@rollup/plugin-node-resolve', 'webpack'];

/** Follows a recipe; `changed` makes another one of it. Returns the folder that it made, deployed. */
const build = async (heading, changed = (text) => text) => {
  const text = recipe(heading);
  const folder = makeProject({ 'server.mjs': program('server.mjs'), 'build.mjs': changed(text) }, TOOLS);
  await output(process.execPath, ['build.mjs'], { cwd: folder });
  return deploy(folder, 'out');
};

/** Has to find the binary in this folder, whatever the current one is. */
const works = async (runtimes, script, folder) => {
  for (const name of runtimes) {
    const { answer, woken, zeroed, binary } = JSON.parse(await printed(name, [script]));
    assert.deepEqual({ answer, woken, zeroed }, { answer: 42, woken: 0, zeroed: 3 });
    assert.ok(binary.startsWith(`${folder}/`), `${name} found ${binary}`);
  }
};

const external = (heading, file, changed) => async () => {
  const app = await build(heading, changed);
  const modules = join(app, 'node_modules');
  cpSync(join(project, 'node_modules'), modules, { recursive: true });
  writeFileSync(join(app, 'package.json'), '{"dependencies":{"mmap-native":"*"}}'); // Deno wants to be told
  await works(ALL, join(app, file), join(modules, 'mmap-native/prebuilds'));
};

const bundled = (heading, file, changed) => async () => {
  const app = await build(heading, changed);
  await works(ALL, join(app, file), join(app, 'prebuilds'));
};

const inCommonJs = (text) =>
  text.replaceAll("server.mjs',\n  bundle", "server.cjs',\n  bundle").replace("'esm'", "'cjs'");

export const cases = {
  'esbuild, external': on(ALL, external('esbuild, external', 'server.mjs')),
  'esbuild, external, CommonJS': on(ALL, external('esbuild, external', 'server.cjs', inCommonJs)),
  'Rollup, external': on(ALL, external('Rollup, external', 'server.mjs')),
  'webpack, external': on(ALL, external('webpack, external', 'server.cjs')),
  'webpack, external by require(), as in Next.js': on(
    ALL,
    external('webpack, external', 'server.cjs', (text) => text.replace('`import ', '`commonjs ')),
  ),
  'esbuild, bundled': on(ALL, bundled('esbuild, bundled', 'server.mjs')),
  'esbuild, bundled, CommonJS': on(ALL, bundled('esbuild, bundled', 'server.cjs', inCommonJs)),
  'Rollup, bundled': on(ALL, bundled('Rollup, bundled', 'server.mjs')),
  'webpack, bundled': on(ALL, bundled('webpack, bundled', 'server.cjs')),
  'a bundle without its prebuilds/ says where they have to be': on(NODES, async () => {
    const app = await build('esbuild, bundled');
    rmSync(join(app, 'prebuilds'), { recursive: true });
    for (const name of NODES) {
      const said = await complaint(name, [join(app, 'server.mjs')]);
      const [, where] = /there is no prebuilds\/linux-x64\/mmap-native\.node in (.*)\. Copy prebuilds\//.exec(said);
      assert.ok(where.split(', ').includes(app), where);
      assert.match(said, /code: 'ERR_DLOPEN_FAILED'/);
    }
  }),
};
