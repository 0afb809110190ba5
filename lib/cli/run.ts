import { readFileSync } from 'node:fs';
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { type Command, Refusal, type Terminal } from './command.js';

const USAGE = `mmap-native: look at files, machines and costs through the eyes of mmap(2)

  mmap-native info FILE        what a file is, how much of it is in memory, how to map it
  mmap-native doctor           what this kernel, runtime and container can do, and what to do about the rest
  mmap-native bench            what mapping costs and gains here, beside the ordinary way
  mmap-native COMMAND --help   the options of a command

  --json       machine-readable output, of every command
  --version    the version of mmap-native

Exit codes: 0 as it should be; 1 it could not be done, or doctor found the library cannot work here; 2 wrong usage.
`;

/** Loaded when called: doctor must be able to say why the library cannot be loaded. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  info: async () => (await import('./info.js')).info,
  doctor: async () => (await import('./doctor.js')).doctor,
  bench: async () => (await import('./bench.js')).bench,
};

const version = (): string => {
  const { version: number } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return number;
};

const COMMON = { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const;

const parse = (words: readonly string[], options: ParseArgsConfig['options']): ReturnType<typeof parseArgs> => {
  try {
    return parseArgs({ args: [...words], options: { ...options, ...COMMON }, allowPositionals: true });
  } catch (error) {
    throw new Refusal((error as Error).message, { usage: true });
  }
};

const execute = async (words: readonly string[], terminal: Terminal): Promise<number> => {
  const [name = '--help', ...rest] = words;
  if (name === '--help' || name === '-h' || name === 'help') {
    terminal.out(USAGE);
    return words.length === 0 ? 2 : 0;
  }
  if (name === '--version' || name === '-v') {
    terminal.out(`${version()}\n`);
    return 0;
  }
  const load = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (load === undefined) throw new Refusal(`'${name}' is not a command`, { usage: true });
  const command = await load();
  const { values, positionals } = parse(rest, command.options);
  if (values['help'] === true) {
    terminal.out(command.usage);
    return 0;
  }
  if (positionals.length !== command.words)
    throw new Refusal(command.words === 0 ? 'takes no further words' : `takes ${command.words} word`, { usage: true });
  const { report, text, failed } = await command.run(positionals, values, terminal.columns);
  terminal.out(values['json'] === true ? `${JSON.stringify(report, null, 2)}\n` : text);
  return failed ? 1 : 0;
};

/** Runs a command line; returns the exit code. */
export const run = async (words: readonly string[], terminal: Terminal): Promise<number> => {
  try {
    return await execute(words, terminal);
  } catch (error) {
    const { message } = error as Error;
    const usage = error instanceof Refusal && error.usage;
    terminal.complain(`mmap-native: ${message}${usage ? '. See mmap-native --help' : ''}\n`);
    return usage ? 2 : 1;
  }
};
