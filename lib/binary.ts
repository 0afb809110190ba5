import { existsSync } from 'node:fs';
import Module from 'node:module';
import { basename, dirname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { notLoaded } from './errors.js';

/** In a folder: what was compiled there, and what came with the package. */
const BUILT = 'build/Release/mmap_native.node';
const SHIPPED = `prebuilds/${process.platform}-${process.arch}/mmap-native.node`;

const ELSEWHERE = 'copy prebuilds/ of the package to another folder, and name that in MMAP_NATIVE_PREBUILD';
const NOWHERE =
  'Copy prebuilds/ of the package to one of these folders, or name the one it is in in MMAP_NATIVE_PREBUILD. ' +
  'Where there is none for this CPU: npm rebuild mmap-native --build-from-source';

/** What to do where the loader of the system, or the runtime, says so. */
const WAYS_OUT: readonly (readonly [said: RegExp, wayOut: string])[] = [
  [/addons is disabled/i, 'Start without --no-addons and, where there is --permission, with --allow-addons'],
  [/failed to map/i, `Its file system forbids to run programs (noexec): ${ELSEWHERE}`],
  [/permission denied/i, `Let this user read it, or ${ELSEWHERE}`],
  [/undefined symbol/i, 'Use Node.js 20.19 or later, Bun 1.4 or Deno 2.9'],
];

const wayOutOf = (message: string): string =>
  WAYS_OUT.find(([said]) => said.test(message))?.[1] ?? 'Install the package again, on this machine';

/** Where a binary may lie: beside a bundle, in the package, beside the program, beside a single executable. */
const folders = (): string[] => {
  const { MMAP_NATIVE_PREBUILD: given } = process.env;
  if (given !== undefined && given !== '') return [resolve(given)];
  // a bundle in CommonJS has no address, and one made by webpack that of the source at the time
  const address = import.meta.url as string | undefined;
  const here = address?.startsWith('file:') === true ? dirname(fileURLToPath(address)) : undefined;
  // in a single executable it is what the shell was given: nothing is to be loaded from the current folder
  const program = isAbsolute(process.argv[1] ?? '') ? dirname(process.argv[1] ?? '') : undefined;
  // a folder above may be anybody's: of a bundle in /tmp/app it is /tmp
  const home = here !== undefined && ['dist', 'lib'].includes(basename(here)) ? dirname(here) : undefined;
  const all = [here, home, program, dirname(process.execPath)];
  return [...new Set(all.filter((folder) => folder !== undefined))];
};

/** Loads the addon, or throws an error that names the way out. */
export const loadBinary = (): unknown => {
  const names = process.env['PREBUILDS_ONLY'] === undefined ? [BUILT, SHIPPED] : [SHIPPED];
  const tried = folders();
  const path = tried.flatMap((folder) => names.map((name) => join(folder, name))).find((file) => existsSync(file));
  if (path === undefined) throw notLoaded(`there is no ${SHIPPED} in ${tried.join(', ')}`, NOWHERE);
  try {
    // by this name: webpack puts something of its own in the place of an imported createRequire
    return Module.createRequire(path)(path);
  } catch (error) {
    const { message } = error as Error;
    throw notLoaded(message.replace(/\.?\s*$/, ''), wayOutOf(message), error);
  }
};
