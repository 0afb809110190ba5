import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const HEADER = 'tried by CI';

const load = (root, path) => import(pathToFileURL(join(root, path)).href);

/** Every case of test/home, by title: the runtimes that it runs on. */
const casesOf = async (root) => {
  const folder = 'test/home/cases';
  const modules = await Promise.all(readdirSync(join(root, folder)).map((file) => load(root, join(folder, file))));
  return new Map(modules.flatMap(({ cases }) => Object.entries(cases).map(([title, { on }]) => [title, on])));
};

/** Whether a column of the row is executed: by a step, or by each of its cases that is not named after another column. */
const isTried = ({ steps, cases: titles }, column, columns, cases) => {
  if (steps !== undefined) return column in steps;
  const mine = titles.filter((title) => !columns.some((other) => other !== column && title.includes(` ${other}`)));
  return mine.length > 0 && mine.every((title) => cases.get(title)?.includes(column));
};

/** The cells of the table, without their padding. */
const tableOf = (text) => {
  const lines = text.split('\n');
  const from = lines.findIndex((line) => line.startsWith(`| ${HEADER} `));
  const length = lines.slice(from).findIndex((line) => !line.startsWith('|'));
  const rows = from < 0 ? [] : lines.slice(from, from + length);
  return rows
    .filter((_, i) => i !== 1)
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
};

/** Where README.md's table is not what .ci/run and test/home execute. */
export const wrongCells = async (root, pages) => {
  const { COLUMNS, ROWS } = await load(root, 'test/home/rows.mjs');
  const cases = await casesOf(root);
  const gate = readFileSync(join(root, '.ci/run'), 'utf8');
  const steps = [...gate.matchAll(/step '([^']+)'/g)].map(([, name]) => name);
  const named = Object.values(ROWS).flatMap((row) => row.cases ?? Object.values(row.steps));
  const missing = named.filter((name) => !steps.includes(name) && !cases.has(name));

  const cell = (row, column) => (isTried(row, column, COLUMNS, cases) ? '✓' : '');
  const wanted = Object.entries(ROWS).map(([name, row]) => [name, ...COLUMNS.map((column) => cell(row, column))]);
  const all = [[HEADER, ...COLUMNS], ...wanted].map((row) => row.join(' | '));
  const found = tableOf(pages.find(({ path }) => path === 'README.md').text).map((row) => row.join(' | '));
  return [
    ...(gate.includes('test/home/run.mjs') ? [] : ['.ci/run does not run test/home']),
    ...missing.map((name) => `test/home/rows.mjs: there is no step and no case "${name}"`),
    ...all.filter((row) => !found.includes(row)).map((row) => `the table in README.md lacks the row: ${row}`),
    ...found
      .filter((row) => !all.includes(row))
      .map((row) => `the table in README.md has a row that nobody tries: ${row}`),
  ];
};
