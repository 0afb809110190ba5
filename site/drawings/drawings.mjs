import { narrow, wide } from './four-mappings.mjs';
import { layers } from './layers.mjs';
import { life } from './life.mjs';

/** The drawings of docs/images, by name. */
export const DRAWINGS = { 'four-mappings': wide, 'four-mappings-narrow': narrow, layers, 'mapping-life': life };
