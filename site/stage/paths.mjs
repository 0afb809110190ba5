import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';

/** Pages that are no file of docs/. */
const ELSEWHERE = {
  'README.md': 'overview.md',
  'CONTRIBUTING.md': 'contributing.md',
  'CHANGELOG.md': 'changelog.md',
  'SECURITY.md': 'security.md',
  'NOTICES.md': 'notices.md',
  'bench/README.md': 'benchmarks.md',
  examples: 'examples/index.md',
};

/** By name: under one of them is a node_modules whose link leads back here. */
const EXAMPLES = ['examples', 'examples/clients'];

/** `// node examples/x.mjs [ARGUMENTS]    what it does`: how a program of examples/ begins. */
const FIRST_LINE = /^\/\/ (node \S+(?: \S+)*) {2,}(.*)$/m;

/** The programs of examples/: path, how they are called, what they do, their text. */
export const examplesOf = (root) =>
  EXAMPLES.flatMap((folder) => readdirSync(join(root, folder)).map((name) => posix.join(folder, name)))
    .filter((path) => path.endsWith('.mjs'))
    .toSorted()
    .flatMap((path) => {
      const text = readFileSync(join(root, path), 'utf8');
      const [, command, purpose] = FIRST_LINE.exec(text.split('\n', 1)[0]) ?? [];
      return command === undefined ? [] : [{ path, command, purpose, text }];
    });

/** What of the repository goes where in the site: path to path. */
export const placesOf = (root) => {
  const docs = readdirSync(join(root, 'docs'), { recursive: true })
    .filter((name) => posix.extname(name) !== '')
    .map((name) => [posix.join('docs', name), name]);
  const examples = examplesOf(root).map(({ path }) => [path, path.replace(/mjs$/, 'md')]);
  const others = Object.entries(ELSEWHERE).filter(([path]) => existsSync(join(root, path)));
  return new Map([...docs, ...examples, ...others]);
};
