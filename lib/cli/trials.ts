import { constants } from 'node:buffer';
import { mkdtempSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ADVICE, type Advice } from '../constants.js';
import { supports } from '../mappings.js';
import { mmap } from '../mmap.js';
import { native } from '../native.js';
import { unlink } from '../unlink.js';
import { type Check, check, ok } from './check.js';
import { bytes } from './format.js';

const PAGES = 2 ** 16;
const LETTER = 97;

/** Whether it can be done, tried out; the reason where it cannot. */
const trial = (name: string, body: () => string, todo: string, needed = false): Check => {
  try {
    return ok(name, body());
  } catch (error) {
    return { name, state: needed ? 'broken' : 'lack', found: (error as Error).message, todo };
  }
};

const shared = (peers: 'readonly' | 'readwrite'): string => {
  const mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096, peers });
  mapping.bytes[0] = 1;
  mapping.unmapSync();
  return peers === 'readonly' ? 'F_SEAL_FUTURE_WRITE' : 'a memfd was made, sealed and mapped';
};

const named = (): string => {
  const name = `/mmap-native-doctor-${process.pid}`;
  const mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096, name, exclusive: true });
  mapping.unmapSync();
  unlink(name);
  const { bsize, blocks } = statfsSync('/dev/shm');
  return `in /dev/shm, which has ${bytes(bsize * blocks)}`;
};

const copies = (): string => {
  const mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 4096 });
  mapping.write(Buffer.from('here'));
  const copy = mapping.text({ length: 4 });
  mapping.unmapSync();
  if (copy !== 'here') throw new Error(`wrote 'here', and read '${copy}'`);
  return 'read() and write() work';
};

/** Maps a file private and shared. */
const files = (file: string): string => {
  for (const sharing of ['private', 'shared'] as const) {
    const mapping = mmap({ backing: 'file', sharing, access: 'readwrite', file });
    const [byte] = mapping.view(Uint8Array, PAGES / 2, 1);
    if (sharing === 'shared') mapping.syncSync();
    mapping.unmapSync();
    if (byte !== LETTER) throw new Error('a mapped byte is not the one of the file');
  }
  return `private and shared, in ${tmpdir()}`;
};

/** Cuts a file short under a mapping, unless that would end the process. */
const guard = (file: string): string => {
  if (process.env['MMAP_NATIVE_GUARD'] === 'off') throw new Error('off: MMAP_NATIVE_GUARD=off is in the environment');
  const mapping = mmap({ backing: 'file', sharing: 'shared', file });
  mapping.on('fault', () => {});
  truncateSync(file, 0);
  const [byte] = mapping.view(Uint8Array, PAGES / 2, 1);
  const { faultCount } = mapping;
  mapping.unmapSync();
  if (byte !== 0 || faultCount !== 1) throw new Error(`${faultCount} faults were counted`);
  return 'on: a file was cut short under a mapping, and it was reported';
};

/** What needs a folder to try it in. */
const onFiles = (): Check[] => {
  let folder = '';
  try {
    folder = mkdtempSync(join(tmpdir(), 'mmap-native-doctor-'));
    const file = join(folder, 'file');
    writeFileSync(file, Buffer.alloc(PAGES, LETTER));
    return [
      trial('files', () => files(file), 'the file system of the temporary folder cannot do it: set TMPDIR', true),
      trial('fault guard', () => guard(file), 'without it, a file that is cut short under a mapping ends the process'),
    ];
  } catch (error) {
    const found = (error as Error).message;
    return [{ name: 'files', state: 'broken', found, todo: 'a temporary folder is needed to try: set TMPDIR' }];
  } finally {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
  }
};

const unknownAdvice = (): Check => {
  const unknown = (Object.keys(ADVICE) as Advice[]).filter((advice) => !supports(advice));
  return check(
    'advice',
    unknown.length === 0,
    unknown.length === 0 ? 'all are known' : `not known: ${unknown.join(', ')}`,
    'advise() with these is EINVAL: they need a newer kernel, or one that was configured with them',
  );
};

/** What the library can do here, tried out. */
export const trials = (): Check[] => [
  ok('addon', `loaded; pages of ${bytes(native.pageSize)}`),
  ...onFiles(),
  trial('shared memory', () => shared('readwrite'), 'use joinable: false, which only workers can share'),
  trial("peers: 'readonly'", () => shared('readonly'), 'to seal memory against writing by others needs Linux 5.1'),
  trial('named memory', named, 'it lies in /dev/shm: mount a tmpfs there; or share through handle() and attach()'),
  trial('copies without faults', copies, 'use views instead'),
  check(
    'populate()',
    supports('populate'),
    supports('populate') ? 'MADV_POPULATE_READ and _WRITE' : 'not known',
    'needs Linux 5.14; the option populate: true works everywhere',
  ),
  unknownAdvice(),
  check(
    'SharedArrayBuffer over a mapping',
    supports('sharedBuffer'),
    supports('sharedBuffer') ? 'sharedBuffer, sharedView()' : 'this runtime cannot make one',
    'Node.js 22.23.3, 24.16 or 26.1, or Bun, can. Workers share through handle() and attach() everywhere',
  ),
  check(
    'largest ArrayBuffer',
    constants.MAX_LENGTH > 2 ** 32,
    bytes(constants.MAX_LENGTH),
    'for more than that view() makes windows; Node.js 22 and later have larger ones',
  ),
];
