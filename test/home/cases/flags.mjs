// What Node.js can be told to forbid: it works all the same, or says what to change.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NODES, complaint, documented, folder, makeProject, on, printed, program } from '../harness.mjs';

const project = () => makeProject({ 'server.mjs': program('server.mjs') });

const works = (...flags) =>
  on(NODES, async () => {
    const script = join(project(), 'server.mjs');
    for (const name of NODES) assert.equal(JSON.parse(await printed(name, [...flags, script])).answer, 42, name);
  });

const permission = (name) => (name === 'Node.js 20' ? '--experimental-permission' : '--permission');

const DISABLED = 'Cannot load native addon because loading addons is disabled';
const WAY_OUT = 'Start without --no-addons and, where there is --permission, with --allow-addons';

const refusesAddons = (said) => {
  assert.ok(said.includes(`mmap-native cannot load its binary: ${documented(DISABLED)}. ${documented(WAY_OUT)}`), said);
  assert.match(said, /code: 'ERR_DLOPEN_DISABLED'/);
};

export const cases = {
  '--disable-proto=delete': works('--disable-proto=delete'),
  '--disable-proto=throw': works('--disable-proto=throw'),
  '--frozen-intrinsics': works('--frozen-intrinsics'),
  '--disallow-code-generation-from-strings': works('--disallow-code-generation-from-strings'),
  '--no-addons': on(NODES, async () => {
    const script = join(project(), 'server.mjs');
    for (const name of NODES) refusesAddons(await complaint(name, ['--no-addons', script]));
  }),
  '--permission without --allow-addons': on(NODES, async () => {
    const script = join(project(), 'server.mjs');
    for (const name of NODES) refusesAddons(await complaint(name, [permission(name), '--allow-fs-read=*', script]));
  }),
  '--permission with --allow-addons': on(NODES, async () => {
    const script = join(project(), 'server.mjs');
    for (const name of NODES) {
      const words = [permission(name), '--allow-addons', '--allow-fs-read=*', script];
      assert.equal(JSON.parse(await printed(name, words)).answer, 42, name);
    }
  }),
  '--permission does not bind what is mapped': on(NODES, async () => {
    const secret = join(folder, 'secret');
    mkdirSync(secret);
    writeFileSync(join(secret, 'file'), 'seen');
    const look = `import { mmap } from 'mmap-native';
      console.log(mmap({ backing: 'file', sharing: 'private', file: ${JSON.stringify(join(secret, 'file'))} }).text());`;
    const made = makeProject({ 'look.mjs': look });
    for (const name of NODES) {
      const words = [permission(name), '--allow-addons', `--allow-fs-read=${made}`, join(made, 'look.mjs')];
      assert.equal(await printed(name, words), 'seen');
    }
  }),
};
