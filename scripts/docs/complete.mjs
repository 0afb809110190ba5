/** What a table's first column has in backticks. */
const firstColumn = (text) => [...text.matchAll(/^\| `([^`]+)` +\|/gm)].map(([, word]) => word);

const differences = (what, there, said) => [
  ...there.filter((word) => !said.includes(word)).map((word) => `${what} lacks ${word}`),
  ...said.filter((word) => !there.includes(word)).map((word) => `${what} has ${word}, which does not exist`),
  ...said.filter((word, i) => said.indexOf(word) !== i).map((word) => `${what} has ${word} twice`),
];

const codesOf = (errors) => {
  const union = /export type ErrorCode =([^;]*);/.exec(errors)?.[1] ?? '';
  return [...union.matchAll(/'(ERR_\w+)'/g)].map(([, code]) => code);
};

const exportsOf = (index) =>
  [...index.matchAll(/export \{([^}]*)\}/g)].flatMap(([, list]) =>
    list
      .split(',')
      .map((name) => name.trim().replace(/^type /, ''))
      .filter((name) => name !== ''),
  );

/** Getters and methods of the class, but for what is private or marked @internal. */
const membersOf = (mapping) => {
  const body = mapping.slice(mapping.indexOf('export class Mapping'));
  const internal = /\/\*\* @internal \*\/\n {2}(?:static )?\w+/g;
  const names = [...body.replaceAll(internal, '').matchAll(/^ {2}(?:get |async )?(\[?[A-Za-z.]+\]?)(?:<[^>]*>)?\(/gm)];
  return [...new Set(names.map(([, name]) => name))];
};

/** Where docs/errors.md, docs/api.md and the sources do not say the same. */
export const missingFrom = (pages, sources) => {
  const page = (path) => pages.find((one) => one.path === path).text;
  const source = (path) => sources.find((one) => one.path === path).text;
  const api = page('docs/api.md');
  const listed = firstColumn(page('docs/errors.md'));
  const codes = listed.filter((code) => code.startsWith('ERR_'));
  const headings = [...api.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading);
  const inHeading = (name) => headings.some((heading) => heading.includes(`\`${name}`));
  const inText = (name) => api.includes(`\`${name}\``);
  return [
    ...differences('the table of docs/errors.md', codesOf(source('lib/errors.ts')), codes),
    ...exportsOf(source('lib/index.ts'))
      .filter((name) => !inHeading(name) && !inText(name))
      .map((name) => `docs/api.md does not say what ${name} is`),
    ...membersOf(source('lib/mapping.ts'))
      .filter((name) => !inHeading(name))
      .map((name) => `docs/api.md has no heading for Mapping's ${name}`),
  ];
};
