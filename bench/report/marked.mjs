import { readFileSync, writeFileSync } from 'node:fs';

/** Puts text between `<!-- NAME: … -->` and `<!-- end of NAME -->` in a file. */
export const replaceMarked = (file, name, text) => {
  const before = readFileSync(file, 'utf8');
  const start = before.indexOf('\n', before.indexOf(`<!-- ${name}:`));
  const end = before.indexOf(`<!-- end of ${name} -->`);
  if (start < 0 || end < start) throw new Error(`${file} has no place marked '${name}'`);
  writeFileSync(file, `${before.slice(0, start)}\n\n${text}\n\n${before.slice(end)}`);
};
