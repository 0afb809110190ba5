import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { run } from '../../lib/cli/run.js';

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly complaint: string;
}

/** Runs a command line in this process, on a terminal of 80 columns. */
export const mmapNative = async (...words: string[]): Promise<Ran> => {
  let out = '';
  let complaint = '';
  const code = await run(words, {
    out: (text) => {
      out += text;
    },
    complain: (text) => {
      complaint += text;
    },
    columns: 80,
  });
  return { code, out, complaint };
};

/** What a command line prints with --json, and its exit code. */
export const reported = async <Report>(...words: string[]): Promise<Report & { code: number }> => {
  const { code, out } = await mmapNative(...words, '--json');
  return { ...(JSON.parse(out) as Report), code };
};

export interface StartOptions {
  /** A command, such as prlimit, that runs what follows it. */
  readonly through?: readonly string[];
  /** Options of node. */
  readonly flags?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Runs the compiled program. */
export const started = (
  words: readonly string[],
  { through = [], flags = [], env = {} }: StartOptions = {},
): SpawnSyncReturns<string> => {
  const program = fileURLToPath(new URL('../../dist/cli/bin.js', import.meta.url));
  const [command = '', ...rest] = [...through, process.execPath, ...flags, program, ...words];
  return spawnSync(command, rest, { encoding: 'utf8', timeout: 25_000, env: { ...process.env, ...env } });
};
