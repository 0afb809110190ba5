// node test/home/run.mjs [TARBALL_OR_FOLDER]: every case of cases/, in processes of their own, two at a time, of the package
// as installed from its tarball. A folder is packed first; default: this tree, whose dist/ has to be there.
// CASES=a.mjs,b.mjs in the environment runs only those files.
import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = fileURLToPath(new URL('.', import.meta.url));
const AT_ONCE = 2;
const LIMIT = 120_000;
const SKIPPED = 77;

const given = resolve(process.argv[2] ?? join(here, '../..'));
const scratch = mkdtempSync(join(tmpdir(), 'mmap-native-home-'));
chmodSync(scratch, 0o755); // some cases are another user
let folders = 0;

const npm = (words, cwd) => execFileSync('npm', words, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

const pack = (folder) => {
  const words = ['pack', '-s', '--ignore-scripts', '--pack-destination', scratch];
  return join(scratch, npm(words, folder).trim().split('\n').at(-1));
};

const install = (tarball) => {
  const project = join(scratch, 'project');
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{"private":true}');
  npm(['install', '-s', '--ignore-scripts', '--prefer-offline', tarball], project);
  return project;
};

const environment = () => {
  const tarball = statSync(given).isDirectory() ? pack(given) : given;
  return { ...process.env, MMAP_TARBALL: tarball, MMAP_PROJECT: install(tarball), NO_COLOR: '1' };
};

/** One case, in a folder of its own: what became of it. */
const run = (env, file, title) =>
  new Promise((done) => {
    const folder = join(scratch, String(folders++));
    mkdirSync(folder);
    const child = spawn(process.execPath, [join(here, 'case.mjs'), file, title], {
      env: { ...env, MMAP_CASE_DIR: folder, TMPDIR: folder },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: LIMIT,
      killSignal: 'SIGKILL',
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding('utf8').on('data', (text) => (output += text));
    child.on('close', (code, signal) => {
      rmSync(folder, { recursive: true, force: true });
      const outcome = code === 0 ? 'ok' : code === SKIPPED ? 'skipped' : 'FAILED';
      done({ outcome, output, how: signal ?? `exit status ${code}` });
    });
  });

const wanted = process.env.CASES?.split(',');
const files = readdirSync(join(here, 'cases')).filter((file) => wanted === undefined || wanted.includes(file));
const queue = [];
for (const file of files.toSorted()) {
  const { cases } = await import(new URL(`cases/${file}`, import.meta.url).href);
  for (const title of Object.keys(cases)) queue.push([file, title]);
}
const count = queue.length;
let failures = 0;

const lane = async (env) => {
  for (let job = queue.shift(); job !== undefined; job = queue.shift()) {
    const [file, title] = job;
    const start = Date.now();
    const { outcome, output, how } = await run(env, file, title);
    const seconds = ((Date.now() - start) / 1000).toFixed(1);
    console.log(`${outcome.padEnd(8)}${seconds.padStart(5)} s  ${file.replace('.mjs', '')}: ${title}`);
    if (outcome === 'skipped') console.log(`    skipped: ${output}`);
    if (outcome !== 'FAILED') continue;
    failures++;
    console.log(`    ${how}\n${output.slice(-3000).replaceAll(/^/gm, '      ')}`);
  }
};

try {
  const env = environment();
  console.log(`of ${env.MMAP_TARBALL}`);
  await Promise.all(Array.from({ length: AT_ONCE }, () => lane(env)));
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${count} cases, ${failures} failed`);
process.exitCode = failures === 0 && count > 0 ? 0 : 1;
