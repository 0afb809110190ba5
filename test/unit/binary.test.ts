import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { tempDir } from '../helpers/files.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const SHIPPED = `prebuilds/linux-${process.arch}/mmap-native.node`;

/** The JavaScript of the package, and no binary: what may be beside it is up to the test. */
const app = (): string => {
  const folder = tempDir();
  for (const part of ['package.json', 'dist'])
    cpSync(join(root, part), join(folder, 'package', part), { recursive: true });
  mkdirSync(join(folder, 'program'));
  writeFileSync(
    join(folder, 'program/main.mjs'),
    "console.log(typeof (await import('../package/dist/index.js')).mmap);\n",
  );
  return folder;
};

const put = (folder: string, bytes?: string): void => {
  const path = join(folder, SHIPPED);
  mkdirSync(join(path, '..'), { recursive: true });
  if (bytes === undefined) cpSync(join(root, SHIPPED), path);
  else writeFileSync(path, bytes);
};

const run = (folder: string, given = '', flags: string[] = []): string => {
  const env = { ...process.env, MMAP_NATIVE_PREBUILD: given, PREBUILDS_ONLY: '1' };
  const words = [...flags, join(folder, 'program/main.mjs')];
  const { stdout, stderr } = spawnSync(process.execPath, words, { env, encoding: 'utf8' });
  return stdout.trim() || stderr;
};

test.each(['package', 'package/dist', 'program'])('the binary is found in the prebuilds/ of %s', (place) => {
  const folder = app();
  put(join(folder, place));
  expect(run(folder)).toBe('function');
});

test('a folder above is that of the package, or nobody knows whose', () => {
  const folder = app();
  renameSync(join(folder, 'package/dist'), join(folder, 'package/bundle'));
  writeFileSync(join(folder, 'program/main.mjs'), "await import('../package/bundle/index.js');\n");
  put(join(folder, 'package'));
  expect(run(folder)).toContain(`there is no ${SHIPPED} in ${join(folder, 'package/bundle')}, `);
});

test('MMAP_NATIVE_PREBUILD wins, and is the only place then', () => {
  const folder = app();
  put(join(folder, 'package'), 'no binary at all');
  put(join(folder, 'given'));
  expect(run(folder, join(folder, 'given'))).toBe('function');
  expect(run(folder, join(folder, 'program'))).toContain(`there is no ${SHIPPED} in ${join(folder, 'program')}. Copy`);
});

test('where there is none, the error names the folders and what to do', () => {
  const folder = app();
  const said = run(folder);
  for (const place of ['package', 'package/dist', 'program']) expect(said).toContain(join(folder, place));
  expect(said).toMatch(/mmap-native cannot load its binary: .* or name the one it is in in MMAP_NATIVE_PREBUILD\./);
  expect(said).toContain("code: 'ERR_DLOPEN_FAILED'");
});

test('a binary that is none', () => {
  const folder = app();
  put(join(folder, 'package'), 'no binary at all');
  expect(run(folder)).toMatch(
    /mmap-native\.node: (?:file too short|invalid ELF header)\. Install the package again, on this/,
  );
});

test('a runtime that loads none keeps its own code', () => {
  const folder = app();
  put(join(folder, 'package'));
  const said = run(folder, '', ['--no-addons']);
  expect(said).toContain('because loading addons is disabled. Start without --no-addons');
  expect(said).toContain("code: 'ERR_DLOPEN_DISABLED'");
});
