// node site/drawings/draw.mjs    draws docs/images/*.svg
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DRAWINGS } from './drawings.mjs';

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));
mkdirSync(folder, { recursive: true });
for (const [name, draw] of Object.entries(DRAWINGS)) writeFileSync(`${folder}${name}.svg`, draw());
