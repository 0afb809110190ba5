// A consumer's program, checked without mercy, by each TypeScript with each way to resolve modules.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ALL, makeProject, on, printed, program, run, tools } from '../harness.mjs';

const VERSIONS = ['5.5', '5.9', '6', '7'];
const RESOLUTIONS = { nodenext: 'nodenext', bundler: 'esnext' };

const compile = async (version, moduleResolution) => {
  const compilerOptions = {
    moduleResolution,
    module: RESOLUTIONS[moduleResolution],
    target: 'es2022',
    lib: ['es2022', 'esnext.disposable'],
    types: ['node'],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    skipLibCheck: false,
    skipDefaultLibCheck: true, // TypeScript's own
    rootDir: '.',
    outDir: 'out',
  };
  const files = {
    'package.json': '{"type":"module","dependencies":{"mmap-native":"*"}}',
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['right.ts', 'wrong.ts'] }),
    'right.ts': program('right.ts'),
    'wrong.ts': program('wrong.ts'),
  };
  const folder = makeProject(files, ['@types/node', 'undici-types']);
  const { stdout } = await run(process.execPath, [join(tools, `typescript${version}/bin/tsc`), '-p', folder], {
    cwd: folder,
  });
  return { folder, complaints: stdout };
};

/** The lines of wrong.ts, and nothing else: neither the program nor the declarations of the package. */
const checks = (runtimes, version, resolution) => async () => {
  const { folder, complaints } = await compile(version, resolution);
  const wrong = program('wrong.ts').split('\n');
  const numbered = wrong.flatMap((line, i) => (/\/\/ \d:/.test(line) ? [`wrong.ts(${i + 1}`] : []));
  const places = [...complaints.matchAll(/^(\S+\(\d+),\d+\): error/gm)].map(([, place]) => place);
  assert.deepEqual([...new Set(places)], numbered, complaints);
  for (const name of runtimes) {
    const answer = JSON.parse(await printed(name, [join(folder, 'out/right.js')]));
    assert.deepEqual(answer, [2, 0, 'not-equal', 1, 8, 4096], name);
  }
};

const pairs = VERSIONS.flatMap((version) => Object.keys(RESOLUTIONS).map((resolution) => [version, resolution]));

/** What it compiles to is the same: one of the two runs everywhere. */
const runtimesOf = (resolution) => (resolution === 'nodenext' ? ALL : ['Node.js 20']);

export const cases = Object.fromEntries(
  pairs.map(([version, resolution]) => {
    const runtimes = runtimesOf(resolution);
    return [`TypeScript ${version}, ${resolution}`, on(runtimes, checks(runtimes, version, resolution))];
  }),
);
