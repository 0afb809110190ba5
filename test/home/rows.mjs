// The rows of README.md's table of environments, and what executes each: steps of .ci/run by column, or cases of cases/.
// scripts/docs/environments.mjs compares the two.
const of = (names, write) => Object.fromEntries(names.map((name) => [name, write(name)]));
const MANAGERS = ['npm', 'pnpm', 'Yarn 1', 'Yarn 4, node-modules'];
const NODES = ['Node.js 20', 'Node.js 22', 'Node.js 24', 'Node.js 26'];
const stepName = (column) => column.replace('Node.js', 'Node');

export const COLUMNS = [...NODES, 'Bun', 'Deno'];

export const ROWS = {
  'x64, glibc': { steps: of(COLUMNS, (column) => `runs on ${stepName(column)} x64`) },
  'x64, musl': { steps: { Bun: 'runs on Bun x64, musl' } },
  'arm64, under qemu': { steps: of(['Node.js 20', 'Node.js 24'], (column) => `runs on ${stepName(column)} arm64`) },
  'from source': { steps: { 'Node.js 20': 'install from source' } },
  'without a compiler': { steps: { 'Node.js 20': 'install without a compiler' } },
  '`import`, `import()`, `require()`': { cases: ['import', 'import() in CommonJS', 'require()'] },
  'npm, pnpm, Yarn 1, Yarn 4, Bun': {
    cases: [...MANAGERS.map((manager) => `${manager}, without scripts`), 'bun install'],
  },
  'npm, pnpm, Yarn 1, Yarn 4, scripts allowed': { cases: MANAGERS.map((manager) => `${manager}, with scripts`) },
  "Yarn 4, Plug'n'Play": { cases: ["Yarn 4, Plug'n'Play"] },
  'TypeScript 5.5, 5.9, 6, 7': {
    cases: ['5.5', '5.9', '6', '7'].map((version) => `TypeScript ${version}, nodenext`),
  },
  'esbuild, Rollup, webpack: external': {
    cases: [
      'esbuild, external',
      'esbuild, external, CommonJS',
      'Rollup, external',
      'webpack, external',
      'webpack, external by require(), as in Next.js',
    ],
  },
  'esbuild, Rollup, webpack: bundled': {
    cases: ['esbuild, bundled', 'esbuild, bundled, CommonJS', 'Rollup, bundled', 'webpack, bundled'],
  },
  'single executable': { cases: [...NODES, 'Bun'].map((name) => `single executable of ${name}, binary beside it`) },
  jest: { cases: NODES.map((name) => `jest on ${name}`) },
  vitest: { cases: ['vitest, threads', 'vitest, vmThreads'] },
  '`--permission --allow-addons`, `--frozen-intrinsics`, `--disable-proto`': {
    cases: [
      '--permission with --allow-addons',
      '--frozen-intrinsics',
      '--disable-proto=delete',
      '--disable-proto=throw',
    ],
  },
  'no external buffers (Electron)': { cases: ['no external buffers, as in Electron'] },
};
