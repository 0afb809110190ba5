// node test/runtimes/run.mjs [PACKAGE]: every case of cases/ on every runtime installed here, in processes of their own, two at
// a time. PACKAGE is a specifier, looked up from the current folder; default: the dist/ of this tree.
// CASES=a.mjs,b.mjs in the environment runs only those files.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const modules = join(here, 'node_modules');
const node = (name) => [name, join(modules, name, 'bin/node'), '--expose-gc'];
const RUNTIMES = [
  node('node20'),
  node('node22'),
  node('node24'),
  node('node26'),
  ['bun', join(modules, '@oven/bun-linux-x64/bin/bun')],
  ['deno', join(modules, '@deno/linux-x64-glibc/deno'), 'run', '-A', '--quiet', '--v8-flags=--expose-gc'],
];
const AT_ONCE = 2;
/** Milliseconds; a case that hangs is ended. The longest takes half a minute, and several times that on a busy machine. */
const LIMIT = 200_000;
const SKIPPED = 77;

const [specifier] = process.argv.slice(2);
const found = specifier === undefined ? undefined : createRequire(join(process.cwd(), 'x.js')).resolve(specifier);
const target = found === undefined ? new URL('../../dist/index.js', import.meta.url).href : pathToFileURL(found).href;
const scratch = mkdtempSync(join(tmpdir(), 'mmap-native-cases-'));
let folders = 0;

/** One case on one runtime: what became of it. */
const run = ([name, command, ...flags], file, title) =>
  new Promise((resolve) => {
    const folder = join(scratch, String(folders++));
    mkdirSync(folder);
    const child = spawn(command, [...flags, join(here, 'case.mjs'), file, title], {
      env: { ...process.env, MMAP_NATIVE: target, MMAP_CASE_DIR: folder, NO_COLOR: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += chunk));
    child.stderr.on('data', (chunk) => (output.stderr += chunk));
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      child.kill('SIGKILL');
    }, LIMIT);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      rmSync(folder, { recursive: true, force: true });
      const how = late ? `killed after ${LIMIT / 1000} s` : (signal ?? `exit status ${code}`);
      const outcome = code === 0 ? 'ok' : code === SKIPPED ? 'skipped' : 'FAILED';
      resolve({ name, file, title, outcome, how, ...output });
    });
  });

const wanted = process.env.CASES;
const files = readdirSync(join(here, 'cases'))
  .toSorted()
  .filter((file) => wanted === undefined || wanted.split(',').includes(file));
const titles = [];
for (const file of files) {
  const { cases } = await import(new URL(`cases/${file}`, import.meta.url).href);
  for (const title of Object.keys(cases)) titles.push([file, title]);
}
const installed = RUNTIMES.filter(([, command]) => existsSync(command));
for (const [name, command] of RUNTIMES)
  if (!existsSync(command))
    console.log(`${name} skipped: ${command} is not installed (npm ci --prefix test/runtimes --force)`);

const queue = titles.flatMap(([file, title]) => installed.map((runtime) => [runtime, file, title]));
const results = new Map();
let failures = 0;

const print = ([file, title]) => {
  const row = results.get(`${file} ${title}`);
  const cells = installed.map(([name]) => row.get(name).outcome.padEnd(8)).join('');
  console.log(`${cells}${file.replace('.mjs', '')}: ${title}`);
  for (const { name, outcome, how, stdout, stderr } of row.values()) {
    if (outcome === 'skipped') console.log(`    ${name} skipped: ${stdout}`);
    if (outcome !== 'FAILED') continue;
    failures++;
    console.log(`    ${name}: ${how}\n${`${stdout}${stderr}`.slice(-1200).replaceAll(/^/gm, '      ')}`);
  }
};

const lane = async () => {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const [runtime, file, title] = job;
    const key = `${file} ${title}`;
    const result = await run(runtime, file, title);
    if (!results.has(key)) results.set(key, new Map());
    results.get(key).set(runtime[0], result);
    if (results.get(key).size === installed.length) print([file, title]);
  }
};

try {
  console.log(`${installed.map(([name]) => name.padEnd(8)).join('')}of ${target}`);
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
const count = titles.length * installed.length;
console.log(`${count} runs of ${titles.length} cases, ${failures} failed`);
process.exitCode = failures === 0 && count > 0 ? 0 : 1;
