import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';

/** Children run the compiled library: `npm run -s prepare` makes it. */
const library = new URL('../../dist/index.js', import.meta.url).href;

const PRELUDE = `
import * as fs from 'node:fs';
import { allocZeroed, attach, mappings, mmap, supports } from '${library}';
const facts = (error) => ({ ...error, name: error.name, message: error.message });
const attempt = (body) => { try { return body(); } catch (error) { return { error: facts(error) }; } };
const become = (id) => { process.setgroups([]); process.setgid(id); process.setuid(id); };
`;

/** What an error looks like once it has been JSON. */
export interface Failed {
  readonly error: { readonly code: string; readonly errno: number; readonly syscall: string; readonly message: string };
}

export interface RunOptions {
  /** Is `given` in the script. */
  readonly given?: unknown;
  /** A command, such as strace or prlimit, that runs what follows it. */
  readonly through?: readonly string[];
  /** A descriptor of this process that is the child's number 3. */
  readonly inherit?: number;
}

/** Runs a module in a process of its own, and returns what it gave to `answer()`. */
export const runChild = (script: string, { given = null, through = [], inherit }: RunOptions = {}): unknown => {
  const source = `${PRELUDE}
    const given = JSON.parse(process.argv[1]);
    const answer = (value) => fs.writeSync(1, JSON.stringify(value));
    ${script}`;
  const words = [...through, process.execPath, '--input-type=module', '-e', source, JSON.stringify(given)];
  const child = spawnSync(words[0] ?? '', words.slice(1), {
    encoding: 'utf8',
    timeout: 25_000,
    stdio: ['ignore', 'pipe', 'pipe', ...(inherit === undefined ? [] : [inherit])],
  });
  if (child.status !== 0 || child.stdout === '')
    throw new Error(`child ended with ${child.signal ?? child.status}: ${child.stderr || String(child.error)}`);
  return JSON.parse(child.stdout);
};

/** A process that does what it is asked, one thing at a time. */
export class Child {
  readonly #process: ChildProcess;

  /** The script is the inside of an object: `name(argument) { … }, …` */
  constructor(script: string) {
    const source = `${PRELUDE}
      let mapping;
      const tasks = { ${script} };
      process.on('message', async ({ name, argument }) => {
        try { process.send({ result: await tasks[name](argument) }); }
        catch (error) { process.send({ result: { error: facts(error) } }); }
      });`;
    this.#process = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  async ask(name: string, argument?: unknown): Promise<unknown> {
    const done = new AbortController();
    const { signal } = done;
    const ended = once(this.#process, 'exit', { signal }).then(([code, by]: unknown[]) => {
      throw new Error(`child ended with ${String(by ?? code)} when asked to ${name}`);
    });
    const answered = once(this.#process, 'message', { signal }) as Promise<[{ result: unknown }]>;
    this.#process.send({ name, argument });
    try {
      const [{ result }] = await Promise.race([answered, ended]);
      return result;
    } finally {
      done.abort();
    }
  }

  async end(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }
}
