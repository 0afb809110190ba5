import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { blocksOf } from '../../scripts/docs/blocks.mjs';
import { placesOf } from '../stage/paths.mjs';

const RUN = ['js', 'ts', 'sh'];

const same = (one, other) => one.language === other.language && one.code.trimEnd() === other.code.trimEnd();

/** Where a page does not show exactly the code that scripts/docs.mjs runs, or that examples/ has. */
export const otherCode = (root, found) => {
  const problems = [];
  let compared = 0;
  for (const [path, place] of placesOf(root)) {
    const page = found.get(place.replace(/md$/, 'html'));
    if (!place.endsWith('.md') || page === undefined || path === 'examples') continue;
    const text = readFileSync(join(root, path), 'utf8');
    const shown = page.blocks.filter(({ language }) => RUN.includes(language));
    // of an example, the page has the command first
    const run = path.endsWith('.mjs') ? [shown[0], { language: 'js', code: text }] : blocksOf({ path, text });
    compared += run.length;
    if (shown.length !== run.length)
      problems.push(`${place}: shows ${shown.length} blocks of code, ${path} has ${run.length}`);
    else if (!run.every((block, i) => same(block, shown[i])))
      problems.push(`${place}: shows other code than ${path} has`);
  }
  return { problems, compared };
};

/** Where the reference shows other examples than the doc comments of `sources` have, and how many it shows. */
export const otherExamples = (sources, found) => {
  const run = sources.flatMap(blocksOf);
  const shown = [...found]
    .filter(([path]) => path.startsWith('reference/'))
    .flatMap(([path, { blocks }]) => blocks.map((block) => ({ path, ...block })))
    .filter(({ code }) => code.includes("from 'mmap-native"));
  const problems = shown
    .filter((block) => !run.some((one) => same(one, block)))
    .map(({ path }) => `${path}: shows an example that no comment has`);
  const hidden = run.filter((one) => !shown.some((block) => same(one, block)));
  problems.push(...hidden.map(({ where }) => `${where}: the reference does not show this example`));
  return { problems, compared: shown.length };
};
