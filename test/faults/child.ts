import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { expect } from 'vitest';

/** Children run the compiled library: `npm run -s prepare` makes it. */
export const library = new URL('../../dist/index.js', import.meta.url).href;
const native = fileURLToPath(new URL('native/', import.meta.url));
const require = createRequire(import.meta.url);

/** What the tests compile of native/, in a folder of theirs. */
export interface Compiled {
  /** The addon for `addon` in a child. */
  readonly addon: string;
  /** The program that does things to a file. */
  readonly hostile: string;
}

export const compile = (folder: string): Compiled => {
  const [addon, hostile] = [join(folder, 'addon.node'), join(folder, 'hostile')];
  const headers = (require('node-api-headers') as { include_dir: string }).include_dir;
  const flags = ['-O2', '-Wall', '-Wextra', '-Werror', '-Wno-infinite-recursion'];
  // the compiler itself is not what a sanitizer is to look at
  const env = { ...process.env, LD_PRELOAD: '' };
  for (const words of [
    ['-shared', '-fPIC', `-I${headers}`, '-o', addon, join(native, 'addon.c'), '-lpthread'],
    ['-o', hostile, join(native, 'hostile.c')],
  ])
    expect(spawnSync('gcc', [...flags, ...words], { env, encoding: 'utf8' }).stderr).toBe('');
  return { addon, hostile };
};

const PRELUDE = `
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
const given = JSON.parse(process.argv[1]);
const addon = given.addon && createRequire('/')(given.addon);
const answer = (value) => fs.writeSync(1, JSON.stringify(value));
const P = 4096;
let files = 0;
const fileOf = (pages, byte = 'a') => {
  const path = join(given.folder, 'data-' + process.pid + '-' + files++);
  fs.writeFileSync(path, Buffer.alloc(pages * P, byte));
  return path;
};
const codeOf = (error) => ({ code: error.code, offset: error.offset });
const failure = async (body) => { try { await body(); return null; } catch (error) { return codeOf(error); } };
const turn = (ms = 50) => new Promise((resolve) => setTimeout(resolve, ms));
`;
const LIBRARY = `
import { attach, mmap, mappings, supports } from '${library}';
const map = (file, more) => mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, ...more });
`;

export interface RunOptions {
  /** Is `given` in the script; `folder` is where its files go. */
  readonly given: { readonly folder: string; readonly addon?: string; readonly [name: string]: unknown };
  readonly guard?: 'on' | 'off';
  /** A command that runs what follows it. */
  readonly through?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
  /** Milliseconds that the child may take. */
  readonly limit?: number;
  /** The script loads the library itself, or does not. */
  readonly bare?: boolean;
}

export interface Ended {
  readonly status: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Some children are to end by a signal that a sanitizer takes for itself. */
const ASAN_OPTIONS = `${process.env['ASAN_OPTIONS'] ?? ''}:handle_sigfpe=0`;

/** Runs a module in a process of its own. */
export const run = (script: string, options: RunOptions): Ended => {
  const { given, guard = 'on', through = [], env = {}, flags = [], bare = false, limit = 25_000 } = options;
  const source = `${PRELUDE}${bare ? '' : LIBRARY}${script}`;
  const words = [
    ...through,
    process.execPath,
    '--expose-gc',
    ...flags,
    '--input-type=module',
    '-e',
    source,
    JSON.stringify(given),
  ];
  const { status, signal, stdout, stderr } = spawnSync(words[0] ?? '', words.slice(1), {
    encoding: 'utf8',
    timeout: limit,
    env: { ...process.env, ASAN_OPTIONS, MMAP_NATIVE_GUARD: guard, ...env },
  });
  return { status, signal, stdout, stderr };
};

/** What it gave to `answer()`. */
export const answerOf = (ended: Ended): unknown => {
  if (ended.status !== 0 || ended.stdout === '')
    throw new Error(`child ended with ${ended.signal ?? String(ended.status)}: ${ended.stderr}`);
  return JSON.parse(ended.stdout) as unknown;
};

/** A shell says 128 + n of a child that a signal ended; unshare kills itself with the same. */
const signalOf = ({ signal, status, stderr }: Ended): string | null =>
  signal ?? { 135: 'SIGBUS', 139: 'SIGSEGV' }[status ?? 0] ?? `status ${status}: ${stderr}`;

/** The answer of a script that lives with the guard, and is ended by the signal without. */
export const survives = (script: string, dies: 'SIGBUS' | 'SIGSEGV', options: RunOptions): unknown => {
  expect(signalOf(run(script, { ...options, guard: 'off' })), 'without the guard').toBe(dies);
  return answerOf(run(script, options));
};

/** A mount namespace of the child's own, with something mounted on the folder: gone with the child. */
export const mounted = (folder: string, mount: string): string[] => [
  'unshare',
  '-m',
  'sh',
  '-ec',
  `${mount}\nexec "$@"`,
  folder,
];

/** Of the records of a mapping. */
export interface FaultRecord {
  readonly kind: string;
  readonly pages: number;
  readonly writes: number;
  readonly first: number;
  readonly latest: number;
}
