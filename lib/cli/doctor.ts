import { arch } from 'node:os';
import { type Check, ok } from './check.js';
import { type Command, type Outcome } from './command.js';
import { wrap } from './format.js';
import { machineChecks } from './machine.js';
import { libc, runtime } from './runtime.js';

const USAGE = `mmap-native doctor [--json]

Looks at the kernel, the runtime, limits and the container, tries out what the library needs in a temporary folder, and says what
can be done about each lack. Exit code 1 if the library cannot work here.
`;

const MARKS = { ok: '✓', lack: '–', broken: '✗' } as const;

/** The library is loaded here, so that a failure to load it is a finding. */
const tryLibrary = async (): Promise<Check[]> => {
  try {
    const { trials } = await import('./trials.js');
    return trials();
  } catch (error) {
    return [
      {
        name: 'addon',
        state: 'broken',
        found: (error as Error).message.split('\n', 1)[0] ?? '',
        todo:
          'it is built for Linux on x64 and arm64; elsewhere npm rebuild mmap-native, which needs a C++ compiler. ' +
          '--no-addons and --permission without --allow-addons forbid to load it',
      },
    ];
  }
};

const render = (checks: readonly Check[], columns: number): string => {
  const width = Math.max(...checks.map(({ name }) => name.length));
  let text = '';
  for (const { name, state, found, todo } of checks) {
    text += `${MARKS[state]} ${name.padEnd(width)}  ${found}\n`;
    if (todo !== undefined) text += wrap(todo, columns, ' '.repeat(width + 4));
  }
  const count = (state: Check['state']): number => checks.filter((one) => one.state === state).length;
  const verdict =
    count('broken') > 0 ? 'The library cannot work here.' : `The library works here; it does without ${count('lack')}.`;
  return `${text}\n${verdict}\n`;
};

export const doctor: Command = {
  usage: USAGE,
  options: {},
  words: 0,
  run: async (_words, _options, columns): Promise<Outcome> => {
    const checks = [ok('runtime', `${runtime()}, ${arch()}, ${libc()}`), ...machineChecks(), ...(await tryLibrary())];
    const failed = checks.some(({ state }) => state === 'broken');
    return { report: { works: !failed, checks }, text: render(checks, columns), failed };
  },
};
