// node scripts/package.mjs check [TARBALL]     what npm would publish is what etc/package-files.txt lists, and not too large
// node scripts/package.mjs update [TARBALL]    writes that list: whoever commits it has looked at it
// Without a tarball: packs this tree, whose dist/ has to be there.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const LIST = 'etc/package-files.txt';

// Bytes. Somewhat more than there are today: what needs more is a decision, made here.
const MOST_PACKED = 460_000;
const MOST_UNPACKED = 1_750_000;
const NEEDED = ['LICENSE', 'NOTICES.md', 'README.md', 'CHANGELOG.md', 'package.json'];
// What is compiled into the binaries, and wants its licence beside them.
const COMPILED_IN = 'node_modules/node-addon-api/LICENSE.md';

const command = (program, words) => execFileSync(program, words, { cwd: root, encoding: 'utf8', maxBuffer: 1 << 24 });

const withTarball = (given, look) => {
  if (given !== undefined) return look(given);
  const scratch = mkdtempSync(join(tmpdir(), 'mmap-native-'));
  try {
    const words = ['pack', '-s', '--ignore-scripts', '--pack-destination', scratch];
    return look(join(scratch, command('npm', words).trim().split('\n').at(-1)));
  } finally {
    rmSync(scratch, { recursive: true });
  }
};

/** The files of a tarball, by name, and what they and it weigh. */
const contents = (tarball) => {
  const lines = command('tar', ['-tvzf', tarball]).trim().split('\n');
  const files = lines.map((line) => /^\S+ +\S+ +(\d+) +\S+ +\S+ package\/(.*)$/.exec(line));
  const names = files.map(([, , name]) => name);
  return {
    names: names.toSorted((a, b) => (a < b ? -1 : 1)),
    packed: statSync(tarball).size,
    unpacked: files.reduce((sum, [, size]) => sum + Number(size), 0),
  };
};

const textOf = (path) => readFileSync(join(root, path), 'utf8').trim();

const problemsOf = ({ names, packed, unpacked }) => {
  const listed = textOf(LIST).split('\n');
  const update = 'node scripts/package.mjs update, where that is meant';
  return [
    ...names.filter((name) => !listed.includes(name)).map((name) => `${name} is not in the list: ${update}`),
    ...listed.filter((name) => !names.includes(name)).map((name) => `${name} is in the list only: ${update}`),
    ...NEEDED.filter((name) => !names.includes(name)).map((name) => `${name} is not in the package`),
    ...(textOf('NOTICES.md').includes(textOf(COMPILED_IN)) ? [] : [`NOTICES.md lacks the text of ${COMPILED_IN}`]),
    ...(packed > MOST_PACKED ? [`the tarball has ${packed} bytes, more than ${MOST_PACKED}`] : []),
    ...(unpacked > MOST_UNPACKED ? [`its files have ${unpacked} bytes, more than ${MOST_UNPACKED}`] : []),
  ];
};

const [verb, given] = process.argv.slice(2);
if (verb === 'check' || verb === 'update') {
  const found = withTarball(given, contents);
  if (verb === 'update') writeFileSync(join(root, LIST), `${found.names.join('\n')}\n`);
  const problems = problemsOf(found);
  for (const problem of problems) console.error(problem);
  console.log(`package: ${found.names.length} files, ${found.packed} bytes packed, ${found.unpacked} unpacked`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} else {
  console.error('usage: node scripts/package.mjs check|update [TARBALL]');
  process.exitCode = 2;
}
