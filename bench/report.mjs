// npm run bench:report: docs/performance.md, docs/charts/*.svg and what is marked in docs/choosing.md, docs/ipc.md and README.md, from bench/results/*.json.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { formatRatio, formatTime, withSpread } from './harness/format.mjs';
import { adviceTable } from './report/advice.mjs';
import { comparison, curve } from './report/charts.mjs';
import { ipcCosts } from './report/ipc.mjs';
import { replaceMarked } from './report/marked.mjs';
import { whyMissed } from './report/missed.mjs';
import { rulesOfThumb } from './report/rules.mjs';
import { aimsTable, caseTables, markdownTable } from './report/tables.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const CHARTS = here('../docs/charts');

/** The runtime whose results are told in full. */
const MAIN = 'node24';

/** Curves, and the number that they show. */
const CURVES = {
  'small-file': {},
  collector: {},
  'huge-pages': {},
  'curve-file-size': {},
  'curve-live': {},
  'curve-views': {},
  'curve-touched': {},
  'curve-readers': { metric: 'pssBytes', yLabel: 'memory of all processes' },
};

/** The rules that the README has, too. */
const README_RULES = ['small files', 'lookups', 'huge pages'];

/** The chart of the README: what takes how long compared with us, where we win and where we lose. */
const COMPARED = [
  [
    'random 64-byte reads',
    'random-reads',
    'view(Float64Array)',
    { 'fs.readSync': 'fs.readSync', 'C: over a map': 'C' },
  ],
  [
    'sum of a warm 1 GiB file',
    'sum',
    'view(Float64Array)',
    { 'readSync of 1 MiB': 'readSync', readFileSync: 'readFileSync' },
  ],
  [
    '1 MiB of 1 GiB: map, look, unmap',
    'map-look-unmap',
    'sharedView(), 1 MiB',
    { C: 'C', koffi: 'koffi', '@riaskov/mmap-io, no unmap': 'mmap-io' },
  ],
  [
    'zero-filled 1 GiB, huge pages',
    'zero-filled',
    'mmap, hugePages',
    { 'Buffer.alloc': 'Buffer.alloc', 'C: mmap, MADV_HUGEPAGE': 'C' },
  ],
  ['map + unmap of 4 KiB', 'map-unmap', 'unmapSync(), no view', { 'C: mmap, munmap': 'C' }],
  [
    'a 4 KiB file: mapping loses',
    'small-file',
    'mmap, view(), unmap',
    { 'readSync, buffer used again': 'readSync' },
    4096,
  ],
];

const load = () =>
  Object.fromEntries(
    readdirSync(here('results'))
      .filter((file) => file.endsWith('.json'))
      .map((file) => [file.replace('.json', ''), JSON.parse(readFileSync(here(`results/${file}`), 'utf8'))])
      .filter(([, { cases }]) => cases !== undefined),
  );

const compared = (cases) =>
  COMPARED.flatMap(([row, name, ours, others, point]) => {
    const contestants = cases[name]?.points.find((one) => one.point === point)?.contestants;
    if (contestants?.[ours] === undefined) return [];
    const base = contestants[ours].ns.median;
    return Object.entries(others)
      .filter(([contestant]) => contestants[contestant] !== undefined)
      .map(([contestant, label]) => {
        const { median, p5, p95 } = contestants[contestant].ns;
        return { row, label, median: median / base, p5: p5 / base, p95: p95 / base };
      });
  });

const describeMachine = ({ machine, runtime, opponents, cases }) => {
  const dates = Object.values(cases)
    .map(({ date }) => date)
    .toSorted();
  const versions = Object.entries(opponents).map(([name, version]) => `${name} ${version}`);
  return [
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB; ${machine.kernel}, ${machine.arch}, ${machine.fileSystem}, transparent huge pages \`${machine.transparentHugePages}\``,
    `${runtime.name} ${runtime.version}; ${machine.compiler}; ${versions.join(', ')}`,
    dates[0] === dates.at(-1) ? dates[0] : `${dates[0]} to ${dates.at(-1)}`,
  ]
    .map((line) => `- ${line}`)
    .join('\n');
};

const section = (name, result) => {
  const chart = name in CURVES ? `![${result.title}](charts/${name}.svg)\n\n` : '';
  return `### ${result.title}\n\n${result.about}\n\n${chart}${caseTables(result)}\n`;
};

/** The ratios of a case in every runtime that has results. */
const acrossRuntimes = (all, name, contestants) => {
  const rows = Object.values(all)
    .filter(({ cases }) => cases[name] !== undefined)
    .map(({ runtime, cases }) => [
      `${runtime.name} ${runtime.version}`,
      ...contestants.map((contestant) => {
        const summary = cases[name].points[0].contestants[contestant];
        return summary === undefined
          ? '–'
          : `${withSpread(summary.ratio, formatRatio)}, ${formatTime(summary.ns.median)}`;
      }),
    ]);
  return markdownTable([['', ...contestants], ...rows]);
};

const instructionTable = (instructions) =>
  markdownTable([
    ['', 'instructions', 'system calls'],
    ...instructions.map(({ name, instructions: count, calls }) => [name, count.toLocaleString('en'), calls.toFixed(2)]),
  ]);

const page = (all) => {
  const main = all[MAIN];
  const { cases } = main;
  const parts = [
    '<!-- Made by `npm run bench:report` from bench/results/*.json. Edit those who make it: bench/report.mjs, bench/report/. -->',
    '# Performance',
    'Ratios are what these numbers are for: the contestants of a case took turns, in one run, on one machine. Times are what that machine ' +
      'needed that day, and promise nothing. Every number is a median, with the 5th and the 95th percentile in brackets. ' +
      '[bench/README.md](../bench/README.md) says how it is measured, and how to measure it yourself.',
    describeMachine(main),
    '![Time of others, as a multiple of mmap-native’s](charts/comparison.svg)',
    '## Rules of thumb',
    rulesOfThumb(cases),
    '## What was aimed at',
    aimsTable(cases),
    'Why some were missed:',
    whyMissed(cases, main.instructions),
    '## Case by case',
    ...Object.entries(cases).map(([name, result]) => section(name, result)),
    '## Other runtimes',
    'Map and unmap of 4 KiB: the ratio to C, and the time.',
    acrossRuntimes(all, 'map-unmap', ['unmapSync(), no view', 'with sharedBuffer', 'with buffer']),
    'Random 64-byte reads.',
    acrossRuntimes(all, 'random-reads', ['view(Float64Array)', 'view(DataView)', 'fs.readSync']),
    'Sum of a warm 1 GiB file. In Node 26.10 the loop is as slow over a Float64Array of its own memory: that is not the mapping.',
    acrossRuntimes(all, 'sum', ['view(Float64Array)', 'readSync of 1 MiB', 'readFileSync']),
  ];
  if (main.instructions !== undefined)
    parts.push(
      '## Instructions',
      'What map and unmap of 4 KiB cost outside of the kernel, counted by callgrind: the difference of a long and a short run, for one operation. ' +
        'Garbage collection and finalizers are in it. The system calls are the same as C’s, where no view was made.',
      instructionTable(main.instructions),
    );
  return `${parts.join('\n\n')}\n`;
};

const all = load();
if (all[MAIN] === undefined) throw new Error(`no results of ${MAIN}: npm run bench -- --runtime=${MAIN} --save`);
mkdirSync(CHARTS, { recursive: true });
const { cases } = all[MAIN];
for (const [name, options] of Object.entries(CURVES))
  if (cases[name] !== undefined) writeFileSync(`${CHARTS}/${name}.svg`, curve(cases[name], options));
writeFileSync(`${CHARTS}/comparison.svg`, comparison(compared(cases)));
writeFileSync(here('../docs/performance.md'), page(all));
replaceMarked(here('../README.md'), 'rules of thumb', rulesOfThumb(cases, README_RULES));
replaceMarked(here('../docs/choosing.md'), 'advice', adviceTable(cases));
replaceMarked(here('../docs/ipc.md'), 'costs', ipcCosts(JSON.parse(readFileSync(here('results/ipc.json'), 'utf8'))));
