// npm run bench [-- CASE… --runtime=NAME --short --save --list --instructions]; README.md tells the rest.
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { buildLimits } from './harness/build.mjs';
import { collapsed } from './harness/collapse.mjs';
import { measureInstructions } from './harness/instructions.mjs';
import { describeMachine, opponentVersions } from './harness/machine.mjs';
import { runtimeOf } from './harness/runtimes.mjs';
import { terminalTable } from './harness/table.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CASE_PROCESS = here('harness/case-process.mjs');

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runtime: { type: 'string', default: process.execPath },
    short: { type: 'boolean', default: false },
    save: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    instructions: { type: 'boolean', default: false },
  },
});

/** Definitions by name, in the order of `order`. */
const loadCases = async () => {
  const names = readdirSync(here('cases')).map((file) => file.replace(/\.mjs$/, ''));
  const cases = await Promise.all(names.map(async (name) => (await import(`./cases/${name}.mjs`)).default));
  return cases.toSorted((a, b) => a.order - b.order);
};

const choose = (cases) => {
  for (const name of positionals)
    if (!cases.some((definition) => definition.name === name)) throw new Error(`No case '${name}': see --list`);
  if (positionals.length > 0) return cases.filter(({ name }) => positionals.includes(name));
  if (options.instructions) return []; // only that, unless cases are named
  return options.short ? cases.filter(({ inShort }) => inShort) : cases;
};

const showProgress = (name, share) => {
  if (process.stderr.isTTY)
    process.stderr.write(share < 1 ? `\r\x1b[K${name} ${Math.round(share * 100)} %` : '\r\x1b[K');
};

const runCase = ({ name }) =>
  new Promise((resolve, reject) => {
    let result;
    const settings = { short: options.short, runtime: options.runtime };
    const child = fork(CASE_PROCESS, [name, JSON.stringify(settings)]);
    child.on('message', (message) => {
      if (message.progress !== undefined) showProgress(name, message.progress);
      if (message.result !== undefined) ({ result } = message);
    });
    child.on('exit', (code, signal) => {
      showProgress('', 1);
      if (code === 0 && result !== undefined) resolve(result);
      else reject(new Error(`case '${name}' ended (${signal ?? code})`));
    });
  });

/** In the short form, what seems to have collapsed is measured again: with other work on the machine, one look is none. */
const LOOKS = 3;

const measure = async (definition) => {
  for (let look = 1; ; look++) {
    const result = { date: new Date().toISOString().slice(0, 10), ...(await runCase(definition)) };
    console.log(terminalTable(definition.name, result));
    if (!options.short) return result;
    const complaints = collapsed(definition.name, result, committed.cases[definition.name]);
    if (complaints.length === 0) return result;
    if (look === LOOKS) throw new Error(complaints.join('\n'));
  }
};

const cases = await loadCases();
if (options.list) {
  for (const { name, title } of cases) console.log(`${name.padEnd(18)} ${title}`);
  process.exit(0);
}
buildLimits();
const runtime = runtimeOf(options.runtime);
const file = here(`results/${runtime.id}.json`);
const committed = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { cases: {} };
const measured = {};
const counted = options.instructions ? measureInstructions(options.runtime) : committed.instructions;
if (options.instructions) console.table(counted);

const save = () => {
  const head = { machine: describeMachine(), runtime: { name: runtime.name, version: runtime.version } };
  const byOrder = cases
    .map(({ name }) => [name, measured[name] ?? committed.cases[name]])
    .filter(([, result]) => result);
  const results = { ...head, opponents: opponentVersions(), instructions: counted, cases: Object.fromEntries(byOrder) };
  mkdirSync(here('results'), { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 1)}\n`);
};

if (options.save) save();
for (const definition of choose(cases)) {
  try {
    measured[definition.name] = await measure(definition);
  } catch (error) {
    console.error(error.message); // the others can still be measured
    process.exitCode = 1;
  }
  if (options.save) save();
}
