import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { mmapNative, started } from './terminal.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

describe('the command line', () => {
  test('without a word says what there is, and is wrong usage', async () => {
    expect(await mmapNative()).toEqual({ code: 2, out: expect.stringContaining('mmap-native doctor'), complaint: '' });
  });

  test.each(['--help', '-h', 'help'])('%s says the same, and is right', async (word) => {
    const { code, out } = await mmapNative(word);
    expect(code).toBe(0);
    for (const name of ['info FILE', 'doctor', 'bench', '--json', '--version']) expect(out).toContain(name);
  });

  test.each(['info', 'doctor', 'bench'])('%s --help says how it is used, and does nothing', async (name) => {
    expect(await mmapNative(name, '--help')).toEqual({
      code: 0,
      out: expect.stringMatching(`^mmap-native ${name} .*--json`),
      complaint: '',
    });
  });

  test('--version', async () => {
    expect(await mmapNative('--version')).toEqual({ code: 0, out: `${version}\n`, complaint: '' });
  });

  test.each([
    [['frob'], "'frob' is not a command"],
    [['constructor'], "'constructor' is not a command"],
    [['info'], 'takes 1 word'],
    [['info', 'a', 'b'], 'takes 1 word'],
    [['doctor', 'please'], 'takes no further words'],
    [['info', '/etc/passwd', '--jsno'], "'--jsno'"],
    [['bench', '--size', '0'], '--size'],
    [['bench', '--size', 'much'], '--size'],
  ])('%j is refused in one line, with the exit code 2', async (words, why) => {
    const { code, out, complaint } = await mmapNative(...words);
    expect([code, out]).toEqual([2, '']);
    expect(complaint).toMatch(/^mmap-native: .*See mmap-native --help\n$/);
    expect(complaint).toContain(why);
  });
});

describe('as a program', () => {
  test('it prints and exits as it should', () => {
    expect(started(['--version'])).toMatchObject({ status: 0, stdout: `${version}\n`, stderr: '' });
    expect(started(['info', '/no/such/file'])).toMatchObject({
      status: 1,
      stdout: '',
      stderr: "mmap-native: ENOENT: no such file or directory, stat '/no/such/file'\n",
    });
  });

  test('to import it does nothing, and does not load the addon', () => {
    const run = new URL('../../dist/cli/run.js', import.meta.url).href;
    const source = `await import('${run}');
      console.log((await import('node:fs')).readFileSync('/proc/self/maps', 'utf8').includes('mmap_native'));`;
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', source], { encoding: 'utf8' });
    expect([stdout, stderr]).toEqual(['false\n', '']);
  });
});
