// oxlint-disable vitest/valid-title -- the titles are those of the cases
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

// What run.mjs does on every runtime, on this one: each case in a process of its own, so that its end can be looked at.
const runtimes = fileURLToPath(new URL('../runtimes/', import.meta.url));
const SKIPPED = 77;

const run = (file: string, title: string): ReturnType<typeof spawnSync> => {
  const folder = mkdtempSync(join(tmpdir(), 'mmap-native-case-'));
  try {
    return spawnSync(process.execPath, ['--expose-gc', join(runtimes, 'case.mjs'), file, title], {
      encoding: 'utf8',
      env: { ...process.env, MMAP_CASE_DIR: folder },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

for (const file of readdirSync(join(runtimes, 'cases')).toSorted()) {
  const { cases } = (await import(new URL(`../runtimes/cases/${file}`, import.meta.url).href)) as {
    cases: Record<string, () => unknown>;
  };
  describe(file.replace('.mjs', ''), () => {
    for (const title of Object.keys(cases)) {
      test(title, { timeout: 120_000 }, ({ skip }) => {
        const { status, signal, stdout, stderr } = run(file, title);
        if (status === SKIPPED) skip(String(stdout));
        expect({ status, signal }, String(stderr)).toEqual({ status: 0, signal: null });
      });
    }
  });
}
