import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LIMITS } from './player.mjs';
import { runtimeCommand } from './runtimes.mjs';

const COUNTED = fileURLToPath(new URL('counted.mjs', import.meta.url));
/** Long enough that V8 has compiled everything by the shorter one. */
const SHORT = 40_000;
const LONG = 80_000;
const CANNOT = 77;

const run = (argv, input) => {
  const { stderr, status, error } = spawnSync(argv[0], argv.slice(1), { encoding: 'utf8', input });
  if (error !== undefined || status !== 0) throw error ?? new Error(stderr);
  return stderr;
};

const countInstructions = (argv, input) => {
  const log = run(['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null', ...argv], input);
  return Number(/Collected : (\d+)/.exec(log)[1]);
};

const countCalls = (argv, input) => {
  const log = run(['strace', '-f', '-qq', '-c', '-e', 'trace=mmap,munmap', ...argv], input);
  const [, , , calls] = /^.*total$/m.exec(log)[0].trim().split(/\s+/);
  return Number(calls);
};

const perOperation = (count, command) => (count(...command(LONG)) - count(...command(SHORT))) / (LONG - SHORT);

/** Instructions outside of the kernel and mapping system calls of one map and unmap, by kind. */
export const measureInstructions = (runtime) => {
  const node = (kind) => (operations) => [
    [...runtimeCommand(runtime), '--single-threaded', COUNTED, kind, `${operations}`],
  ];
  const commands = {
    'C: mmap, munmap': (operations) => [[LIMITS, 'map-unmap', '4096'], `${operations}\n`],
    'unmapSync(), no view': node('none'),
    'with sharedBuffer': node('sharedBuffer'),
    'with buffer': node('buffer'),
  };
  const possible = Object.entries(commands).filter(([, command]) => {
    const [[executable, ...args], input] = command(0);
    return spawnSync(executable, args, { input }).status !== CANNOT;
  });
  return possible.map(([name, command]) => ({
    name,
    instructions: Math.round(perOperation(countInstructions, command)),
    calls: perOperation(countCalls, command),
  }));
};
