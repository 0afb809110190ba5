import { accessSync, constants as access, type Stats } from 'node:fs';
import { type Mapping } from '../mapping.js';

/** A part of a file, and how much of it is in memory. */
export interface Cell {
  readonly pages: number;
  readonly resident: number;
}

const LARGEST_CALL = 2 ** 36;

/** Cuts the mapping into at most `most` cells of whole pages, and counts what is in memory of each. */
export const cellsOf = async (mapping: Mapping, pageSize: number, most: number): Promise<Cell[]> => {
  const pages = Math.ceil(mapping.length / pageSize);
  const length = Math.max(1, Math.ceil(pages / most)) * pageSize;
  const cells: Cell[] = [];
  for (let offset = 0; offset < mapping.length; offset += length) {
    const end = Math.min(offset + length, mapping.length);
    let resident = 0;
    // a bit for each page of a part of the file, not of all of it
    for (let from = offset; from < end; from += LARGEST_CALL) {
      const part = await mapping.residency({ offset: from, length: Math.min(LARGEST_CALL, end - from) });
      resident += part.resident;
    }
    cells.push({ pages: Math.ceil((end - offset) / pageSize), resident });
  }
  return cells;
};

/** Since Linux 5.2, mincore(2) says "in memory" of all pages of a file that is not yours to write or to own. */
export const isToldResidency = (path: string, { uid }: Stats): boolean => {
  const me = process.getuid?.();
  if (me === 0 || me === uid) return true;
  try {
    accessSync(path, access.W_OK);
    return true;
  } catch {
    return false;
  }
};

const SHADES = ['░', '▒', '▓'] as const;

/** A character a cell: none of it in memory, up to a third, up to two thirds, more, all. */
export const draw = (cells: readonly Cell[], columns: number, indent: string): string => {
  const marks = cells.map(({ pages, resident }) => {
    if (resident === 0) return '·';
    if (resident === pages) return '█';
    return SHADES[Math.min(2, Math.floor((resident / pages) * 3))];
  });
  let text = '';
  for (let i = 0; i < marks.length; i += columns) text += `${indent}${marks.slice(i, i + columns).join('')}\n`;
  return text;
};
