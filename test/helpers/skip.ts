import { spawnSync } from 'node:child_process';
import { writeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** For `test.skipIf`: whether something is not there. Says so where everybody can read it. */
export const lacks = (present: boolean, reason: string): boolean => {
  if (!present) writeSync(2, `skipped: ${reason}\n`);
  return !present;
};

const works = (command: string, ...words: string[]): boolean => spawnSync(command, words).status === 0;

/** A sanitizer makes system calls of its own, so what strace sees is not only ours. */
export const noStrace = (): boolean =>
  lacks(process.env['LD_PRELOAD'] === undefined, 'strace would see the calls of what LD_PRELOAD names') ||
  lacks(works('strace', '-o', '/dev/null', 'true'), 'no strace here, or not permitted to trace');

export const notRoot = (): boolean => lacks(process.getuid?.() === 0, 'only root can become another user');

export const noMounts = (): boolean => lacks(works('unshare', '-m', 'true'), 'no mount namespace of its own here');

export const noCompiler = (): boolean => lacks(works('gcc', '--version'), 'no gcc here');

/** Whether a program of this checkout cannot be started as another user: it may lie in a folder that only its owner may enter. */
export const noOtherUser = (): boolean => {
  if (notRoot()) return true;
  const reads = `require('node:fs').accessSync(${JSON.stringify(fileURLToPath(import.meta.url))})`;
  const { status } = spawnSync(process.execPath, ['-e', reads], { uid: 65534, gid: 65534, cwd: '/' });
  return lacks(status === 0, 'this checkout lies where no other user may read it');
};
