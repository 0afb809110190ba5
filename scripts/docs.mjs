// node scripts/docs.mjs check    what the documentation says, held against what is there
//
// Every js, ts and sh block of README.md, docs/*.md and the @example parts of lib/*.ts runs as it is written, in a process
// and a folder of its own. A line `console.log(…); // text` has to print that text. A block that cannot run says so, and is
// counted: ```ts no-run. Links have to lead somewhere; the tables of errors and exports have to be
// complete; in README.md's table of environments, each ✓ has to be a step of .ci/run or a case of test/home.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { blocksOf } from './docs/blocks.mjs';
import { missingFrom } from './docs/complete.mjs';
import { wrongCells } from './docs/environments.mjs';
import { brokenLinks } from './docs/links.mjs';
import { compile, runAll } from './docs/run.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const textOf = (path) => ({ path, text: readFileSync(join(root, path), 'utf8') });
const named = (folder, ending) =>
  readdirSync(join(root, folder), { recursive: true })
    .filter((name) => name.endsWith(ending))
    .map((name) => join(folder, name));

const atRoot = readdirSync(root).filter((name) => name.endsWith('.md'));
const pages = [...atRoot, ...named('docs', '.md')].map(textOf);
const sources = named('lib', '.ts').map(textOf);

const check = async () => {
  const blocks = [...pages, ...sources].flatMap(blocksOf);
  const problems = [...brokenLinks(root, pages), ...missingFrom(pages, sources), ...(await wrongCells(root, pages))];
  let ran = false;
  // inside of the project, so that 'mmap-native' is the project itself
  mkdirSync(join(root, 'temp'), { recursive: true });
  const folder = mkdtempSync(join(root, 'temp', 'docs-'));
  try {
    problems.push(...compile(root, folder, blocks));
    ran = problems.length === 0;
    if (ran) problems.push(...(await runAll(root, folder, blocks)));
  } finally {
    rmSync(folder, { recursive: true });
  }
  for (const problem of problems) console.error(problem);
  const left = blocks.filter(({ noRun }) => noRun);
  for (const { where } of left) console.log(`no-run: ${where}`);
  const count = (language) => blocks.filter((block) => block.language === language && !block.noRun).length;
  const kinds = ['ts', 'js', 'sh'].map((language) => `${count(language)} ${language}`).join(', ');
  console.log(`docs: ${pages.length} pages; ${ran ? 'run' : 'not tried'}: ${kinds}; no-run: ${left.length}`);
  process.exitCode = problems.length === 0 ? 0 : 1;
};

if (process.argv[2] === 'check') {
  await check();
} else {
  console.error(`usage: node ${relative(process.cwd(), fileURLToPath(import.meta.url))} check`);
  process.exitCode = 2;
}
