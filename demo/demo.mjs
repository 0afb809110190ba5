// npm run demo [-- FILE] [--json]: the four mappings of mmap(2) on a real file, with the kernel's evidence beside each; a search in
// all of it; and what becomes of a mapping whose file is cut.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readArguments, USAGE, UsageError } from './arguments.mjs';
import { privateAnonymous } from './cells/private-anonymous.mjs';
import { privateFile } from './cells/private-file.mjs';
import { sharedAnonymous } from './cells/shared-anonymous.mjs';
import { sharedFile } from './cells/shared-file.mjs';
import { cut } from './cut.mjs';
import { printCell, printCut, printIntroduction, printSearch } from './print.mjs';
import { search } from './search.mjs';
import { paint } from './terminal.mjs';

const CELLS = [privateFile, sharedFile, privateAnonymous, sharedAnonymous];

const show = async ({ file, size, json }) => {
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-demo-'));
  process.once('exit', () => rmSync(folder, { recursive: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1));

  if (!json) printIntroduction(file, size);
  const cells = [];
  for (const [i, make] of CELLS.entries()) {
    const cell = await make({ file, size, folder });
    if (!json) printCell(i + 1, cell);
    cells.push(cell);
  }
  const found = await search({ file, size });
  if (!json) printSearch(size, found);

  const lost = await cut({ file, size, folder });
  if (!json) printCut(lost);

  const claims = [...cells, found, lost].flatMap((part) => part.claims);
  const wrong = claims.filter(({ holds }) => !holds).length;
  const ok = wrong === 0;
  if (json)
    console.log(JSON.stringify({ ok, file, size, node: process.version, cells, search: found, cut: lost }, null, 2));
  else if (ok) console.log(paint('green', `All ${claims.length} claims were checked and hold.`));
  else console.log(paint('red', `${wrong} of ${claims.length} claims do not hold.`));
  process.exitCode = ok ? 0 : 1;
};

try {
  const given = readArguments(process.argv.slice(2));
  if (given.help) console.log(USAGE);
  else await show(given);
} catch (error) {
  console.error(`demo: ${error.message}`);
  process.exitCode = error instanceof UsageError ? 2 : 1;
}
