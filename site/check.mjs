// node site/check.mjs [--screenshots FOLDER]    looks at site/dist in a browser: Chromium, CHROMIUM says where if not in /usr/bin
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chromium } from 'playwright-core';
import { otherCode, otherExamples } from './check/blocks.mjs';
import { alone, lost } from './check/links.mjs';
import { visit } from './check/pages.mjs';
import { search, toggle } from './check/search.mjs';
import { serve } from './check/server.mjs';
import { DRAWINGS } from './drawings/drawings.mjs';

const { values } = parseArgs({ options: { screenshots: { type: 'string' } } });
const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'site', 'dist');

const filesUnder = (folder, ending) => readdirSync(folder, { recursive: true }).filter((name) => name.endsWith(ending));

/** Every page is looked at in light on a screen, and in dark on a phone; these in the other two looks as well. */
const SHOWN = [
  'index.html',
  'guides/large-files.html',
  'safety.html',
  'internals.html',
  'reference/mmap-native/classes/Mapping.html',
];

const screen = { viewport: { width: 1280, height: 900 } };
const phone = { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true };
const LOOKS = {
  light: { ...screen, colorScheme: 'light', some: false },
  dark: { ...screen, colorScheme: 'dark', some: true },
  'phone-light': { ...phone, colorScheme: 'light', some: true },
  'phone-dark': { ...phone, colorScheme: 'dark', some: false },
};

/** What is typed, and a place that it has to lead to. */
const SEARCHES = [
  ['file truncated', '/safety.html#'],
  ['ERR_LOST_WRITES', '/errors.html'],
  ['transparent huge pages', '/choosing.html#huge-pages'],
  ['residencySync', '/reference/mmap-native/classes/Mapping.html#residencysync'],
];

const problems = [];
const complain = (problem) => problems.push(problem);

const paths = filesUnder(dist, '.html').filter((path) => path !== '404.html');
const { origin, stop } = await serve(dist);
// as root, in a container, Chromium's own sandbox cannot start; what it opens is ours
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
let found;
const backgrounds = {};
try {
  for (const [name, { some, ...look }] of Object.entries(LOOKS)) {
    const context = await browser.newContext(look);
    const shots = values.screenshots && { folder: values.screenshots, name, pages: SHOWN };
    if (shots) mkdirSync(shots.folder, { recursive: true });
    found = await visit(context, origin, some ? SHOWN : paths, (what) => complain(`${name}: ${what}`), shots);
    backgrounds[name] = found.get('index.html').background;
    if (name === 'light') {
      for (const [words, wanted] of SEARCHES) await search(context, origin, words, wanted, complain);
      await toggle(context, origin, complain);
    }
    await context.close();
  }
} finally {
  await browser.close();
  stop();
}

if (backgrounds.light === backgrounds.dark) complain('light and dark look the same');
problems.push(...lost(origin, found), ...alone(origin, found));
// the layer for users of mmap-io is told of in docs/migration.md
const sources = filesUnder(join(root, 'lib'), '.ts')
  .filter((path) => !path.startsWith('compat/'))
  .map((path) => ({
    path,
    text: readFileSync(join(root, 'lib', path), 'utf8'),
  }));
const code = otherCode(root, found);
const examples = otherExamples(sources, found);
problems.push(...code.problems, ...examples.problems);
for (const [name, draw] of Object.entries(DRAWINGS))
  if (readFileSync(join(root, 'docs', 'images', `${name}.svg`), 'utf8') !== draw())
    complain(`docs/images/${name}.svg is not what site/drawings draws: node site/drawings/draw.mjs`);

for (const problem of problems) console.error(problem);
const links = [...found.values()].reduce((sum, page) => sum + new Set(page.links).size, 0);
console.log(
  `site: ${paths.length} pages in ${Object.keys(LOOKS).length} looks; ${links} links; ${code.compared} blocks of code and ${examples.compared} examples ` +
    `as they are run; ${SEARCHES.length} searches; ${problems.length} problems`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
