// node scripts/native.mjs build [--into=DIR] [--sanitize=… --coverage=true --werror=true]
//                                     build/Release from the sources, here or in a copy of them in DIR
// node scripts/native.mjs prebuild    prebuilds/ for every CPU
// node scripts/native.mjs check       prebuilds/ are what the sources make, and ask nothing of a libc that it may lack
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const require = createRequire(import.meta.url);
const prebuildify = promisify(require('prebuildify'));
const root = fileURLToPath(new URL('..', import.meta.url));

const TARGETS = [
  { arch: 'x64', triplet: 'x86_64-linux-gnu' },
  { arch: 'arm64', triplet: 'aarch64-linux-gnu' },
];
const EXPORTS = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];
// Node-API functions that not every supported runtime has, and the binary may import only weakly.
const OPTIONAL = ['node_api_create_external_sharedarraybuffer'];
// What the binary may ask of its process besides Node-API. An unversioned reference binds to the
// oldest version of a name, so each of these is in musl 1.1 and, with today's meaning, in glibc 2.17.
// Extend only after looking at both: memfd_create and mlock2 are 2.27, stat is 2.33.
const LIBC = new Set(
  `
  __errno_location __stack_chk_fail __stack_chk_guard abort getauxval getenv sysconf
  calloc free malloc realloc
  memchr memcmp memcpy memmove memset snprintf strcmp strlen strncmp strncpy
  madvise mincore mmap mprotect mremap msync munlock munmap
  fallocate fcntl ftruncate syscall
  nanosleep pthread_mutex_lock pthread_mutex_unlock pthread_once sched_yield
  pthread_attr_destroy pthread_attr_init pthread_attr_setdetachstate pthread_attr_setstacksize
  pthread_create pthread_detach pthread_join pthread_self pthread_sigmask
  raise sigaction sigaddset sigaltstack sigdelset sigemptyset sigfillset
  `
    .trim()
    .split(/\s+/),
);

// node-gyp wants a folder of node headers, downloads one unless told of it, and takes compiler
// flags from it that differ between node versions. This one holds Node-API alone and no flags
// to speak of: nothing is downloaded, and every node makes the same bytes.
function writeHeaders(folder) {
  const include = join(folder, 'include/node');
  cpSync(require('node-api-headers').include_dir, include, { recursive: true });
  const defaults = `{ 'target_defaults': {
    'default_configuration': 'Release', 'configurations': { 'Debug': {}, 'Release': {} },
    'cflags': ['-fPIC'], 'cflags_cc': ['-fno-rtti', '-fno-exceptions'] } }`;
  writeFileSync(join(include, 'common.gypi'), defaults);
  writeFileSync(join(include, 'config.gypi'), "{ 'variables': {}, 'target_defaults': {} }");
}

// `folder` is the project, or gets what a build reads of it. Returns the folder of headers.
function prepare(folder) {
  if (folder !== root) {
    for (const part of ['package.json', 'binding.gyp', 'src', 'scripts', 'node_modules/node-addon-api'])
      cpSync(join(root, part), join(folder, part), { recursive: true });
  }
  const headers = join(folder, 'node_modules/.cache/node-api-headers');
  writeHeaders(headers);
  return headers;
}

const nodeGyp = join(dirname(require.resolve('node-gyp/package.json')), 'bin/node-gyp.js');

function build(folder, flags) {
  const headers = prepare(folder);
  execFileSync(process.execPath, [nodeGyp, 'rebuild', '--silent', `--nodedir=${headers}`, ...flags], {
    cwd: folder,
    env: { JOBS: 'max', ...process.env },
    stdio: ['ignore', 'inherit', 'inherit'],
  });
}

const place = ({ arch }) => join('prebuilds', `linux-${arch}`, 'mmap-native.node');

async function inScratch(work) {
  const scratch = mkdtempSync(join(tmpdir(), 'mmap-native-'));
  try {
    await work(scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

// Never in the project's own build/, which somebody may be working with.
const prebuild = (out) =>
  inScratch(async (scratch) => {
    process.env.npm_config_nodedir = prepare(scratch);
    for (const { arch, triplet } of TARGETS) {
      process.env.CC = `${triplet}-gcc`;
      process.env.CXX = `${triplet}-g++`;
      await prebuildify({
        cwd: scratch,
        out,
        arch,
        napi: true,
        strip: true,
        stripBin: `${triplet}-strip`,
        targets: [process.version],
        quiet: true,
        nodeGyp,
      });
    }
  });

const compiler = (bytes) => /GCC: \([^)]*\) [\d.]+/.exec(bytes.toString('latin1'))?.[0];

// What is wrong with the binary of `folder`, whoever built it.
function inspect(folder, target) {
  const path = join(folder, place(target));
  const elf = execFileSync('readelf', ['-W', '-d', '-l', '-n', '-S', '--dyn-syms', path], { encoding: 'utf8' });
  const problems = [];
  const must = (fact, text) => fact || problems.push(`linux-${target.arch} ${text}`);
  must(readdirSync(dirname(path)).length === 1, 'has more than one file');
  must(!/\(NEEDED\)/.test(elf), 'has DT_NEEDED');
  must(!/@GLIBC|@CXX/.test(elf), 'has versioned imports');
  must(/NODELETE/.test(elf), 'can be unloaded');
  must(/BIND_NOW/.test(elf) && /GNU_RELRO/.test(elf), 'is not fully RELRO');
  must(/GNU_STACK\s+\S+ \S+ \S+ \S+ \S+ RW\s/.test(elf), 'has an executable stack');
  must(!/TEXTREL/.test(elf), 'has text relocations');
  must(!/\.symtab/.test(elf), 'is not stripped');
  must(target.arch !== 'x64' || /IBT, SHSTK/.test(elf), 'lacks IBT and SHSTK');
  must(target.arch !== 'arm64' || /BTI, PAC/.test(elf), 'lacks BTI and PAC');
  for (const line of elf.split('\n')) {
    const [, , , type, bind, , index, name] = line.trim().split(/\s+/);
    if (!name || !['NOTYPE', 'FUNC', 'OBJECT'].includes(type) || !['GLOBAL', 'WEAK'].includes(bind)) continue;
    if (index !== 'UND') must(EXPORTS.includes(name), `exports ${name}`);
    else if (OPTIONAL.includes(name)) must(bind === 'WEAK', `must import ${name} weakly`);
    else must(/^(napi|node_api)_/.test(name) || LIBC.has(name), `imports ${name}`);
  }
  must(readFileSync(path).includes(require('./source-hash.cjs')), 'was built from other sources');
  return problems;
}

function compare(folder, target) {
  const [ours, fresh] = [root, folder].map((at) => readFileSync(join(at, place(target))));
  if (ours.equals(fresh)) return [];
  if (compiler(ours) === compiler(fresh)) return [`linux-${target.arch}: the sources make other bytes`];
  console.warn(`linux-${target.arch}: bytes not compared, ${compiler(ours)} made them and this is ${compiler(fresh)}`);
  return [];
}

function report(problems) {
  for (const problem of problems) console.error(problem);
  if (problems.length > 0) process.exitCode = 1;
  else console.log(`prebuilds: ${TARGETS.map(({ arch }) => `linux-${arch}`).join(', ')} are in order`);
}

const [command, ...flags] = process.argv.slice(2);
try {
  if (command === 'build') {
    const into = flags.find((flag) => flag.startsWith('--into='));
    const others = flags.filter((flag) => flag !== into);
    build(into === undefined ? root : resolve(into.slice('--into='.length)), others);
  } else if (command === 'prebuild') {
    rmSync(join(root, 'prebuilds'), { recursive: true, force: true });
    await prebuild(root);
    report(TARGETS.flatMap((target) => inspect(root, target)));
  } else if (command === 'check') {
    await inScratch(async (scratch) => {
      await prebuild(scratch);
      report(TARGETS.flatMap((target) => [...inspect(root, target), ...compare(scratch, target)]));
    });
  } else {
    throw new Error('usage: native.mjs build|prebuild|check');
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
