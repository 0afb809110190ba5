// A runtime that refuses buffers, a kernel that refuses files.
import assert from 'node:assert/strict';
import { chmodSync, cpSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  NODES,
  commandOf,
  complaint,
  documented,
  folder,
  makeProject,
  on,
  output,
  printed,
  program,
  run,
  skip,
} from '../harness.mjs';

const FAILED = { code: 'ERR_DLOPEN_FAILED', says: 'mmap-native cannot load its binary: ' };
const DIRECTORY = 'copy prebuilds/ of the package to another folder, and name that in MMAP_NATIVE_PREBUILD';

const fails = (said, wayOut) => {
  assert.ok(said.includes(FAILED.says), said);
  assert.ok(said.includes(documented(wayOut)), said);
  assert.ok(said.includes(`code: '${FAILED.code}'`), said);
};

const root = () => {
  if (process.getuid() !== 0) skip('only root may give up rights, and mount');
};

/** The words before a command that make a user of root whom the modes of files bind. */
const BOUND = ['--inh-caps=-dac_override,-dac_read_search', '--bounding-set=-dac_override,-dac_read_search'];
const bound = (name, words, options) => {
  const [command, first] = commandOf(name);
  return run('setpriv', [...BOUND, command, ...first, ...words], options);
};

const binaries = (project) => {
  const prebuilds = join(project, 'node_modules/mmap-native/prebuilds');
  return readdirSync(prebuilds).map((name) => join(prebuilds, name, 'mmap-native.node'));
};

/** What MMAP_NATIVE_PREBUILD is set to, as the error said. */
const elsewhere = (project) => {
  const place = join(folder, 'elsewhere');
  cpSync(join(project, 'node_modules/mmap-native/prebuilds'), join(place, 'prebuilds'), { recursive: true });
  return { env: { ...process.env, MMAP_NATIVE_PREBUILD: place } };
};

export const cases = {
  'no external buffers, as in Electron': on(NODES, async () => {
    const source = fileURLToPath(new URL('../programs/refuses-external.c', import.meta.url));
    const audit = join(folder, 'refuses-external.so');
    await output('gcc', ['-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-o', audit, source]);
    const script = join(makeProject({ 'main.mjs': program('without-buffers.mjs') }), 'main.mjs');
    for (const name of NODES)
      assert.equal(await printed(name, [script], { env: { ...process.env, LD_AUDIT: audit } }), 'works', name);
  }),
  'a binary that this user may not read': on(NODES, async () => {
    root();
    const project = makeProject({ 'server.mjs': program('server.mjs') });
    const { env } = elsewhere(project);
    for (const file of binaries(project)) chmodSync(file, 0);
    for (const name of NODES) {
      const { how, stderr } = await bound(name, [join(project, 'server.mjs')]);
      assert.equal(how, 1);
      fails(stderr, `Permission denied. Let this user read it, or ${DIRECTORY}`);
      assert.equal((await bound(name, [join(project, 'server.mjs')], { env })).how, 0);
    }
  }),
  'a file that this user may not read': on(NODES, async () => {
    root();
    const file = join(folder, 'secret');
    writeFileSync(file, 'secret', { mode: 0 });
    const look = `import { mmap } from 'mmap-native';
      try { mmap({ backing: 'file', sharing: 'private', file: '${file}' }); } catch (error) {
        console.log(error.code, error.syscall, error.path, error.message); }`;
    const script = join(makeProject({ 'look.mjs': look }), 'look.mjs');
    for (const name of NODES) {
      const { stdout } = await bound(name, [script]);
      assert.equal(stdout.trim(), `EACCES open ${file} EACCES: permission denied, open '${file}'`);
    }
  }),
  'a binary on a file system mounted noexec': on(NODES, async () => {
    root();
    const project = makeProject({ 'server.mjs': program('server.mjs') });
    const { env } = elsewhere(project);
    const place = join(folder, 'noexec');
    mkdirSync(place);
    const mount = `mount -t tmpfs -o noexec tmpfs '${place}' && cp -r '${project}' '${place}/app' && exec "$@"`;
    for (const name of NODES) {
      const [command] = commandOf(name);
      const words = ['-m', 'sh', '-ec', mount, 'sh', command, join(place, 'app/server.mjs')];
      const { how, stderr } = await run('unshare', words);
      assert.equal(how, 1);
      fails(stderr, `Its file system forbids to run programs (noexec): ${DIRECTORY}`);
      assert.equal((await run('unshare', words, { env })).how, 0);
    }
  }),
  'a binary of another CPU': on(NODES, async () => {
    const project = makeProject({ 'server.mjs': program('server.mjs') });
    const [one, other] = binaries(project);
    cpSync(one, `${other}.kept`);
    cpSync(other, one);
    cpSync(`${other}.kept`, other);
    for (const name of NODES) {
      const said = await complaint(name, [join(project, 'server.mjs')]);
      fails(said, 'Install the package again, on this machine');
    }
  }),
};
