import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/**
 * Runs a module of this folder in a process of its own, with a task that it finds in argv, and returns what it sends last. What
 * it sends before that is its progress. Fails if it ends otherwise, with the signal if there was one.
 */
export const run = (module, task, { through = [], cwd, onProgress } = {}) =>
  new Promise((resolve, reject) => {
    const path = fileURLToPath(new URL(module, import.meta.url));
    const [command, ...words] = [...through, process.execPath, path, JSON.stringify(task)];
    const child = spawn(command, words, { cwd, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    let result;
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text) => {
      complaint += text;
    });
    child.on('message', (message) => {
      if ('progress' in message) onProgress?.(message.progress);
      else result = message;
    });
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (code === 0 && result !== undefined) resolve(result);
      else {
        const error = new Error(`${command} ended with ${signal ?? code}: ${complaint.trim()}`);
        reject(Object.assign(error, { pid: child.pid, signal: signal ?? undefined }));
      }
    });
  });

/** In such a process: the task. */
export const task = () => JSON.parse(process.argv[2]);

/** In such a process: sends the result, and lets go. */
export const answer = (result) => process.send(result, () => process.disconnect());
