import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const installed = (path) => fileURLToPath(new URL(`../../test/runtimes/node_modules/${path}`, import.meta.url));

/** What a contestant may ask for by name; `main` is the runtime that the suite measures. */
const PLACES = {
  node20: installed('node20/bin/node'),
  node22: installed('node22/bin/node'),
  node24: installed('node24/bin/node'),
  node26: installed('node26/bin/node'),
  bun: installed('@oven/bun-linux-x64/bin/bun'),
  deno: installed('@deno/linux-x64-glibc/deno'),
};

/** The command that runs a script in a runtime: its name, or the path of a node. Undefined where it is not there. */
export const runtimeCommand = (name) => {
  const path = PLACES[name] ?? name;
  if (!existsSync(path)) return undefined;
  return name === 'deno' ? [path, 'run', '-A'] : [path];
};

/** `node24`, `bun`: what the results of a runtime are called. */
export const runtimeOf = (name) => {
  const [path] = runtimeCommand(name) ?? [];
  if (path === undefined)
    throw new Error(`No runtime at '${name}'. Known: ${Object.keys(PLACES).join(', ')}, or a path`);
  const version = /\d+\.\d+\.\d+/.exec(execFileSync(path, ['--version'], { encoding: 'utf8' }))[0];
  const kind = /bun|deno/.exec(name)?.[0] ?? 'node';
  return { id: kind === 'node' ? `node${version.split('.')[0]}` : kind, name: kind, version, path: name };
};
