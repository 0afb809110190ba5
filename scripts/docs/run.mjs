import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { printsOf } from './blocks.mjs';

const AT_ONCE = 2;
const SECONDS = 60;
/** What is running already. */
const THIS = 'node scripts/docs.mjs check';

/** The files that the pages speak of, in the folder where a block runs. */
const prepare = (folder) => {
  const numbers = Float32Array.from({ length: 4096 }, (_, i) => i / 2);
  writeFileSync(join(folder, 'embeddings.f32'), numbers);
  writeFileSync(join(folder, 'events.log'), Buffer.alloc(65_536));
  writeFileSync(join(folder, 'notes.txt'), 'Four mappings, and no more.\n');
};

const scriptOf = (folder, i) => join(folder, `block-${i}.mjs`);

/** Writes the js blocks, and turns the ts blocks into js, types checked. */
export const compile = (root, folder, blocks) => {
  for (const [i, { language, code }] of blocks.entries()) {
    if (language === 'js') writeFileSync(scriptOf(folder, i), code);
    // without an import or export it would not be a module, and its names not its own
    if (language === 'ts') writeFileSync(scriptOf(folder, i).replace(/mjs$/, 'mts'), `${code}\nexport {};\n`);
  }
  if (!blocks.some(({ language }) => language === 'ts')) return [];
  const compilerOptions = { noEmit: false, declaration: false, noUnusedLocals: false, rootDir: '.', outDir: '.' };
  const config = { extends: join(root, 'tsconfig.json'), compilerOptions, include: ['*.mts'], exclude: [] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const { stdout, status } = spawnSync(join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  });
  const place = (text) => text.replaceAll(/block-(\d+)\.mts/g, (_, i) => blocks[i].where);
  return status === 0 ? [] : [place(stdout)];
};

/** Runs a command to its end; what it said, and what was wrong. */
const execute = (command, words, cwd) =>
  new Promise((resolve) => {
    const child = spawn(command, words, { cwd, stdio: ['ignore', 'pipe', 'pipe'], timeout: SECONDS * 1000 });
    let output = '';
    let complaint = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint += text;
    });
    child.on('error', (error) => resolve({ output, problem: error.message }));
    child.on('close', (code, signal) =>
      resolve({ output, problem: code === 0 ? undefined : `ended with ${signal ?? code}: ${complaint.trim()}` }),
    );
  });

/** What was promised and not printed. */
const unprinted = (block, output) => {
  const lines = output.split('\n');
  for (const expected of printsOf(block)) {
    const at = lines.indexOf(expected);
    if (at < 0) return `did not print "${expected}", but:\n${output}`;
    lines.splice(0, at + 1);
  }
  return undefined;
};

const runModule = async (block, script) => {
  const cwd = mkdtempSync(join(tmpdir(), 'mmap-native-docs-'));
  try {
    prepare(cwd);
    const { output, problem } = await execute(process.execPath, [script], cwd);
    return problem ?? unprinted(block, output);
  } finally {
    rmSync(cwd, { recursive: true });
  }
};

/** npm's commands are not run again, but looked up: the script must be there, and CI must call it. */
const unknownToNpm = (root, command) => {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  const gate = readFileSync(join(root, '.ci', 'run'), 'utf8');
  const [, verb, script] = /^npm (ci|test|run)(?: ([\w:-]+))?/.exec(command) ?? [];
  const name = verb === 'run' ? script : verb;
  if (verb === undefined) return `${command}: neither npm ci, npm test nor npm run`;
  if (verb === 'ci') return existsSync(join(root, 'package-lock.json')) ? undefined : 'npm ci: there is no lock file';
  if (!(name in scripts)) return `${command}: package.json has no script "${name}"`;
  const called = verb === 'test' ? /\bnpm test\b/ : new RegExp(`\\bnpm run (?:-s )?${name}\\b`);
  return ['test', 'demo'].includes(name) && !called.test(gate) ? `${command}: .ci/run does not call it` : undefined;
};

const runShell = async (root, { code }) => {
  const commands = code
    .split('\n')
    .flatMap((line) => line.split(' && '))
    .map((command) => command.replace(/#.*$/, '').trim())
    .filter((command) => command !== '');
  for (const command of commands) {
    if (command === THIS) continue;
    const [program, ...words] = command.split(/\s+/);
    const problem = program === 'npm' ? unknownToNpm(root, command) : (await execute(program, words, root)).problem;
    if (problem !== undefined) return problem;
  }
  return undefined;
};

/** Runs the blocks, a few at a time; returns what was wrong. */
export const runAll = async (root, folder, blocks) => {
  const problems = [];
  const waiting = [...blocks.entries()].filter(([, { noRun }]) => !noRun);
  const lane = async () => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const [i, block] = next;
      const run = block.language === 'sh' ? runShell(root, block) : runModule(block, scriptOf(folder, i));
      const problem = await run;
      if (problem !== undefined) problems.push(`${block.where}: ${problem}`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return problems;
};
