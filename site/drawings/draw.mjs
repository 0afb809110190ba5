// node site/drawings/draw.mjs: docs/images/*.svg
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { narrow, wide } from './four-mappings.mjs';
import { layers } from './layers.mjs';
import { life } from './life.mjs';

const folder = fileURLToPath(new URL('../../docs/images/', import.meta.url));

export const DRAWINGS = { 'four-mappings': wide, 'four-mappings-narrow': narrow, layers, 'mapping-life': life };

mkdirSync(folder, { recursive: true });
for (const [name, draw] of Object.entries(DRAWINGS)) writeFileSync(`${folder}${name}.svg`, draw());
