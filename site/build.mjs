// npm run site: docs/, examples/ and the doc comments of lib/ become a site in site/dist. `--base /x/` where it is not at the root of a host.
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'vitepress';
import { writeReference } from './stage/reference.mjs';
import { stage } from './stage/stage.mjs';

const { values } = parseArgs({ options: { base: { type: 'string', default: '/' } } });
const here = fileURLToPath(new URL('.', import.meta.url));
const root = join(here, '..');
const pages = join(here, 'pages');

stage(root, pages);
await writeReference(root, join(pages, 'reference'));
await build(here, { base: values.base });
