import { readdirSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { supports } from '../../lib/index.js';
import { noStrace } from '../helpers/skip.js';
import { mmapNative, started, type StartOptions } from './terminal.js';

interface Finding {
  readonly name: string;
  readonly state: 'ok' | 'lack' | 'broken';
  readonly found: string;
  readonly todo?: string;
}
interface Report {
  readonly works: boolean;
  readonly checks: readonly Finding[];
}

/** What doctor finds in a process of its own. */
const examined = (
  options: StartOptions = {},
): { status: number | null; works: boolean; of: (name: string) => Finding } => {
  const { status, stdout, stderr } = started(['doctor', '--json'], options);
  if (stdout === '') throw new Error(stderr);
  const { works, checks } = JSON.parse(stdout) as Report;
  const of = (name: string): Finding => {
    const finding = checks.find((one) => one.name === name);
    if (finding === undefined) throw new Error(`nothing is said of ${name}`);
    return finding;
  };
  return { status, works, of };
};

test('where the tests run, the library works, and every lack says what to do', async () => {
  const before = readdirSync(tmpdir());
  const { code, out } = await mmapNative('doctor', '--json');
  const { works, checks } = JSON.parse(out) as Report;
  expect([code, works]).toEqual([0, true]);
  expect(checks.map(({ state }) => state)).not.toContain('broken');
  for (const { name, state, found, todo } of checks) {
    expect(found, name).not.toBe('');
    expect(todo !== undefined, name).toBe(state !== 'ok');
  }
  expect(
    readdirSync(tmpdir()).filter((name) => !before.includes(name) && name.startsWith('mmap-native-doctor')),
  ).toEqual([]);
});

test('says what the library itself would say', () => {
  const { of } = examined();
  expect(of('SharedArrayBuffer over a mapping').state === 'ok').toBe(supports('sharedBuffer'));
  expect(of('populate()').state === 'ok').toBe(supports('populate'));
  expect(of('memory areas').found).toContain(readFileSync('/proc/sys/vm/max_map_count', 'utf8').trim());
  const [chosen] = /(?<=\[)\w+(?=\])/.exec(readFileSync('/sys/kernel/mm/transparent_hugepage/enabled', 'utf8')) ?? [];
  expect(of('huge pages').found).toBe(chosen);
});

test('for people there is a line for each, and a verdict', async () => {
  const { out } = await mmapNative('doctor');
  expect(out).toMatch(/^✓ runtime +Node\.js /);
  expect(out).toMatch(/^✓ fault guard +on/m);
  expect(out).toMatch(/\nThe library works here; it does without \d+\.\n$/);
});

test('where addons are forbidden, the library cannot work, and that is said without a stack', () => {
  const { status, works, of } = examined({ flags: ['--no-addons'] });
  expect([status, works]).toEqual([1, false]);
  expect(of('addon')).toMatchObject({ state: 'broken', todo: expect.stringContaining('--no-addons') });
  expect(of('kernel').state).toBe('ok');
  expect(started(['doctor'], { flags: ['--no-addons'] }).stdout).toMatch(/\nThe library cannot work here\.\n$/);
});

test('the guard that is off is off', () => {
  expect(examined().of('fault guard').state).toBe('ok');
  const { status, of } = examined({ env: { MMAP_NATIVE_GUARD: 'off' } });
  expect(status).toBe(0);
  expect(of('fault guard')).toMatchObject({ state: 'lack', found: expect.stringContaining('off') });
});

test('limits are those of the process', () => {
  const { of } = examined({ through: ['prlimit', '--memlock=65536', '--as=20000000000'] });
  expect(of('memory that may be locked')).toMatchObject({ state: 'lack', found: '64.0 KiB' });
  expect(of('address space')).toMatchObject({ state: 'lack', found: '18.6 GiB' });
});

test.skipIf(noStrace())('a kernel without memfd_create lacks shared memory, and nothing else', () => {
  const through = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'inject=memfd_create:error=ENOSYS'];
  const { status, of } = examined({ through });
  expect(status).toBe(0);
  expect(of('shared memory')).toMatchObject({ state: 'lack', found: expect.stringContaining('ENOSYS') });
  expect(of('files').state).toBe('ok');
});

test('without a folder to try in, nothing is promised of files', () => {
  const { status, works, of } = examined({ env: { TMPDIR: '/proc' } });
  expect([status, works]).toEqual([1, false]);
  expect(of('files')).toMatchObject({ state: 'broken', found: expect.stringContaining('/proc/mmap-native-doctor') });
  expect(of('shared memory').state).toBe('ok');
});
