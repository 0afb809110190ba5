import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { Child } from './support.js';

const strace = spawnSync('strace', ['-V']).status === 0;
if (!strace) console.log('old-kernel.test.ts: skipped, it needs strace');

// Linux before 5.16 has no futex_waitv(2).
describe.runIf(strace)('without futex_waitv', () => {
  const runner = fileURLToPath(new URL('../runtimes/case.mjs', import.meta.url));
  test.for([
    'wait() wakes, and is woken by, another process, and lets the event loop end',
    'whoever waits for a peer that is killed is told',
    'a Channel carries values both ways, and ends',
  ])('%s', async (title) => {
    const inject = ['-f', '-qq', '-o', '/dev/null', '-e', 'trace=futex_waitv', '-e', 'inject=futex_waitv:error=ENOSYS'];
    const child = new Child('strace', [...inject, process.execPath, runner, 'ipc.mjs', title]);
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });
});
