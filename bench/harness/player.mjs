import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { runtimeCommand } from './runtimes.mjs';

const SCRIPT = fileURLToPath(new URL('contestant.mjs', import.meta.url));
export const LIMITS = fileURLToPath(new URL('../build/limits', import.meta.url));

const command = (definition, name, context) => {
  const contestant = definition.contestants[name];
  if (contestant.c !== undefined) return [LIMITS, ...contestant.c(context).map(String)];
  const runtime = runtimeCommand(contestant.runtime ?? context.runtime);
  if (runtime === undefined) return undefined;
  return [...runtime, ...(contestant.flags ?? []), SCRIPT, definition.name, name, JSON.stringify(context)];
};

/** One contestant in its process, waiting for its turns. */
export class Player {
  #child;
  #lines;
  #stderr = '';
  /** How many of what is reported an operation consists of. */
  divisor = 1;
  #mayBeKilled = false;
  skipped;

  static async start(definition, name, context) {
    const player = new Player();
    player.name = name;
    player.divisor = definition.divideBy?.(context) ?? 1;
    player.#mayBeKilled = definition.contestants[name].mayBeKilled === true;
    await player.#start(command(definition, name, context), definition.contestants[name].runtime);
    return player;
  }

  async #start(argv, runtime) {
    if (argv === undefined) {
      this.skipped = `${runtime} is not installed`;
      return;
    }
    this.#child = spawn(argv[0], argv.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stderr.on('data', (text) => (this.#stderr += text));
    this.#child.stdin.on('error', () => {}); // its end is told by the missing answer
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
    const { skip } = await this.#answer();
    this.skipped = skip;
  }

  async #answer() {
    const { done, value } = await this.#lines.next();
    if (!done) return JSON.parse(value);
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    const { exitCode, signalCode } = this.#child;
    if (this.#mayBeKilled && signalCode === 'SIGKILL') return undefined;
    throw new Error(`'${this.name}' ended (${signalCode ?? exitCode})\n${this.#stderr}`);
  }

  /** A sample of so many operations, with the time of one. Undefined, and nothing more, where the kernel ended the process. */
  async turn(operations) {
    this.#child.stdin.write(`${operations}\n`);
    const sample = await this.#answer();
    if (sample === undefined) this.skipped = 'killed by the kernel, out of memory';
    return sample && { ...sample, ns: sample.ns / operations / this.divisor };
  }

  async stop() {
    if (this.#child === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.stdin.end();
    await ended;
  }
}
