import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LIMITS } from './player.mjs';

const SOURCES = fileURLToPath(new URL('../c', import.meta.url));

/** The limits are C at -O2, by the gcc of this machine. */
export const buildLimits = () => {
  mkdirSync(dirname(LIMITS), { recursive: true });
  const sources = readdirSync(SOURCES).filter((name) => name.endsWith('.c'));
  execFileSync('gcc', ['-O2', '-Wall', '-Wextra', '-o', LIMITS, ...sources.map((name) => join(SOURCES, name))], {
    stdio: 'inherit',
  });
};
