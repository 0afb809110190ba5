import { closeSync, constants, fstatSync, openSync } from 'node:fs';
import { resolve } from 'node:path';
import { getSystemErrorMap } from 'node:util';

export const USAGE = `npm run demo [-- FILE] [--json]

  FILE     a file to look at, never written to; the running node executable if none is given
  --json   print the evidence as JSON instead of explaining it`;

/** The command line asks for something that cannot be done. */
export class UsageError extends Error {}

const inspectFile = (file) => {
  try {
    // O_NONBLOCK: a pipe without a writer is to be refused, not waited for
    const fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      return fstatSync(fd);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    const [, text] = getSystemErrorMap().get(error.errno) ?? ['', error.message];
    throw new UsageError(`${file}: ${text}`, { cause: error });
  }
};

/** What to do, or a UsageError that says why it cannot be done. */
export const readArguments = (words) => {
  const flags = words.filter((word) => word.startsWith('--'));
  const files = words.filter((word) => !word.startsWith('--'));
  const unknown = flags.find((flag) => flag !== '--json' && flag !== '--help');
  if (unknown !== undefined) throw new UsageError(`${unknown} is not an option: there are --json and --help`);
  if (files.length > 1) throw new UsageError(`one file at a time, not ${files.length}`);
  if (flags.includes('--help')) return { help: true };
  if (process.env.MMAP_NATIVE_GUARD === 'off')
    throw new UsageError('MMAP_NATIVE_GUARD=off is in the environment: the last scene would end the demo');
  const file = resolve(files[0] ?? process.execPath);
  const status = inspectFile(file);
  if (status.isDirectory()) throw new UsageError(`${file} is a directory: only a file can be mapped`);
  if (!status.isFile()) throw new UsageError(`${file} is not a regular file`);
  if (status.size === 0) throw new UsageError(`${file} is empty: there is nothing to show`);
  return { file, size: status.size, json: flags.includes('--json') };
};
