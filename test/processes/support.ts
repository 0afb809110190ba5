import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

/** What a function that runs in another process gets. It must not refer to anything else. */
export interface Tools<D> {
  readonly ipc: typeof import('../../lib/ipc/index.js');
  readonly mm: typeof import('../../lib/index.js');
  readonly data: D;
  /** Sends something to the test: `Child.next()`. */
  readonly report: (value: unknown) => void;
  /** How often waiting was ended by a second look, and not by a wake-up. */
  readonly late: () => number;
}

export interface End {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stderr: string;
}

const RUNNER = fileURLToPath(new URL('runner.mjs', import.meta.url));

/** The argument of the runner. */
export const program = <D>(body: (tools: Tools<D>) => unknown, data: D): string =>
  JSON.stringify({ code: body.toString(), data });

/** A process that runs `body` against dist/, and is killed at the end of the test at the latest. */
export class Child {
  readonly process: ChildProcess;
  readonly ended: Promise<End>;
  readonly #reports: AsyncIterator<string>;

  constructor(
    command: string,
    args: readonly string[],
    options: { readonly fds?: readonly number[]; uid?: number } = {},
  ) {
    const { fds = [], uid } = options;
    this.process = spawn(command, args, {
      stdio: ['ignore', 'pipe', 'pipe', ...fds],
      ...(uid === undefined ? {} : { uid, gid: uid }),
    });
    let stderr = '';
    this.process.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
    this.ended = new Promise((resolve) => {
      this.process.on('close', (code, signal) => {
        resolve({ code, signal, stderr });
      });
    });
    this.#reports = createInterface({ input: this.process.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
    onTestFinished(async () => {
      this.process.kill('SIGKILL');
      await this.ended;
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** The next thing that it reports. */
  async next<T = unknown>(): Promise<T> {
    const { value, done } = await this.#reports.next();
    if (done === true) throw new Error(`The child has ended: ${JSON.stringify(await this.ended)}`);
    return JSON.parse(value) as T;
  }

  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<End> {
    this.process.kill(signal);
    return this.ended;
  }
}

/** Starts another process. */
export const start = <D>(
  body: (tools: Tools<D>) => unknown,
  data: D,
  options?: { fds?: readonly number[]; uid?: number },
): Child => new Child(process.execPath, [RUNNER, program(body, data)], options);

/** Runs `body` in another process to its end. */
export const run = async <D>(body: (tools: Tools<D>) => unknown, data: D): Promise<End> => start(body, data).ended;
