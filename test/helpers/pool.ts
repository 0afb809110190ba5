import { spawnSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';

let fifos = 0;

/** Every thread of the pool waits for a writer of a FIFO, so that what is queued now stays in flight. Returns what ends it. */
export const occupyThreadPool = (folder: string): (() => Promise<void>) => {
  const fifo = join(folder, `fifo-${++fifos}`);
  spawnSync('mkfifo', [fifo]);
  const threads = Number(process.env['UV_THREADPOOL_SIZE'] ?? 4);
  const readers = Array.from({ length: threads }, async () => open(fifo, 'r'));
  return async () => {
    const writer = openSync(fifo, 'r+');
    for (const reader of await Promise.all(readers)) await reader.close();
    closeSync(writer);
  };
};
