import { execFileSync } from 'node:child_process';
import { readFileSync, statfsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { cpus, release, tmpdir, totalmem } from 'node:os';

const require = createRequire(import.meta.url);
const chosen = (path) => /\[(\w+)\]/.exec(readFileSync(path, 'utf8'))?.[1];
const FILE_SYSTEMS = {
  0xef53: 'ext4',
  0x01021994: 'tmpfs',
  0x58465342: 'xfs',
  0x9123683e: 'btrfs',
  0x794c7630: 'overlayfs',
};

/** What the numbers of a run depend on. */
export const describeMachine = () => ({
  cpu: cpus()[0].model,
  cores: cpus().length,
  memoryGiB: Math.round(totalmem() / 2 ** 30),
  kernel: `Linux ${release()}`,
  arch: process.arch,
  fileSystem: FILE_SYSTEMS[statfsSync(process.env.BENCH_DIR ?? tmpdir()).type] ?? 'unknown',
  transparentHugePages: chosen('/sys/kernel/mm/transparent_hugepage/enabled'),
  compiler: execFileSync('gcc', ['--version'], { encoding: 'utf8' }).split('\n')[0],
});

export const opponentVersions = () => {
  const { devDependencies } = require('../package.json');
  const drawing = ['@observablehq/plot', '@resvg/resvg-js', 'linkedom'];
  return Object.fromEntries(Object.entries(devDependencies).filter(([name]) => !drawing.includes(name)));
};
