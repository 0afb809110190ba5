import { cpSync, mkdirSync, symlinkSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../helpers/files.js';
import { lacks, noCompiler } from '../helpers/skip.js';
import { answerOf, type Compiled, compile, type Ended, library, run } from './child.js';

/** Others have handlers of their own for the same signals, and set them before us or after. */

const folder = tempDir();
const without = noCompiler();
const { addon }: Compiled = without ? { addon: '', hostile: '' } : compile(folder);
const given = { folder, addon };
const SIGNAL = { SIGBUS: 7, SIGSEGV: 11 };
type Name = keyof typeof SIGNAL;

/** makeFaults(map): a fault of each signal, as often as one likes. */
const FAULTS = `
  const makeFaults = (mmap) => {
    const file = fileOf(64);
    const truncated = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    fs.truncateSync(file, 0);
    const readonly = mmap({ backing: 'file', sharing: 'shared', file: fileOf(64) });
    return {
      SIGBUS: () => { truncated.bytes[truncated.faultCount * P] = 1; return truncated.faultCount; },
      SIGSEGV: () => { readonly.bytes[readonly.faultCount * P] = 1; return readonly.faultCount; },
    };
  };
`;
const faults = (script: string): Ended => run(FAULTS + script, { given });
/** The watchdog looks twice a second. */
const NOTICED = 600;

describe.skipIf(without).each(['SIGBUS', 'SIGSEGV'] as const)("another library's handler of %s", (name: Name) => {
  const signal = SIGNAL[name];
  const status = { SIGBUS: 71, SIGSEGV: 72 }[name];
  const crash = { SIGBUS: 'foreign-bus', SIGSEGV: 'null' }[name];

  test('set before: gets its own faults, and none of ours', () => {
    const script = `addon.install('own', ${signal});
      const fault = makeFaults(mmap).${name};
      const ours = fault();
      const handled = addon.countHandled();
      answer([ours, handled, ${signal} === 11 ? addon.ownFault() : 1, fault()]);`;
    expect(answerOf(faults(script))).toEqual([1, 0, 1, 2]);
    const foreign = faults(`addon.install('own', ${signal}); makeFaults(mmap).${name}(); addon.crash('${crash}');`);
    expect([foreign.status, foreign.stderr]).toEqual([status, 'foreign handler\n']);
  });

  test('set after, and calling on: sees ours first, until we have looked around', () => {
    const script = `const fault = makeFaults(mmap).${name};
      addon.install('chaining', ${signal});
      answer([fault(), addon.countHandled(), fault()]);`;
    expect(answerOf(faults(script))).toEqual([1, 1, 2]);
  });

  test('set after, and calling on: no circle, whoever is in front', () => {
    const wait = [0, NOTICED];
    const script = (ms: number): string => `const fault = makeFaults(mmap).${name};
      addon.install('chaining', ${signal});
      await turn(${ms});
      fs.writeSync(1, String(fault()));
      addon.crash('${crash}');`;
    for (const ms of wait) {
      const { stdout, signal: by } = faults(script(ms));
      expect([stdout, by]).toEqual(['1', name]);
    }
  });

  test('set after, and not calling on: is noticed within half a second, also by a thread that loops in a fault', () => {
    const script = `const fault = makeFaults(mmap).${name};
      fault();
      await turn(); // the guard looks around after each fault
      addon.install('idle', ${signal});
      const second = fault();
      const looped = addon.countHandled();
      answer([second, looped > 0, fault(), addon.countHandled() === looped]);`;
    expect(answerOf(faults(script))).toEqual([2, true, 3, true]);
  });

  test('set after, for one signal only: is noticed, and still gets what is its own, once', () => {
    const script = `const fault = makeFaults(mmap).${name};
      fault();
      await turn();
      addon.install('once', ${signal});
      await turn(${NOTICED});
      fault();
      fs.writeSync(1, 'guarded');
      addon.crash('${crash}');`;
    const { status: ended, stdout, stderr } = faults(script);
    expect([stdout, ended, stderr.split('\n').at(-2)]).toEqual(['guarded', status, 'foreign handler']);
  });

  test('reset to the default: is noticed', () => {
    const script = `const fault = makeFaults(mmap).${name};
      fault();
      await turn();
      addon.install('default', ${signal});
      await turn(${NOTICED});
      answer([fault(), fault()]);`;
    expect(answerOf(faults(script))).toEqual([2, 3]);
  });

  test('process.on() before, and the listener still hears what is sent', () => {
    const script = `let heard = 0;
      process.on('${name}', () => heard++);
      const fault = makeFaults(mmap).${name};
      const first = fault();
      process.kill(process.pid, '${name}');
      while (heard === 0) await turn(5);
      answer([first, heard, fault()]);
      process.exit();`;
    expect(answerOf(faults(script))).toEqual([1, 1, 2]);
  });

  test('process.on() after, and off() again', () => {
    const script = `let heard = 0;
      const fault = makeFaults(mmap).${name};
      const listener = () => heard++;
      process.on('${name}', listener);
      const first = fault();
      while (heard === 0) await turn(5);
      await turn(${NOTICED});
      const before = heard;
      process.kill(process.pid, '${name}');
      while (heard === before) await turn(5);
      const second = fault();
      process.off('${name}', listener);
      await turn(${NOTICED});
      answer([first, second, fault()]);`;
    expect(answerOf(faults(script))).toEqual([1, 2, 3]);
  });
});

test.skipIf(without)('traps of WebAssembly find their way past one who calls on', () => {
  const script = `const { SIGSEGV: fault } = makeFaults(mmap);
    const module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1,
      7, 8, 1, 4, 108, 111, 97, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11]));
    const { load } = new WebAssembly.Instance(module).exports;
    const trap = () => { try { return load(1 << 20); } catch (error) { return error.name; } };
    addon.install('chaining', 11);
    const early = trap();
    await turn(${NOTICED});
    answer([early, trap(), fault(), trap(), addon.countHandled() >= 3]);`;
  expect(answerOf(faults(script))).toEqual(['RuntimeError', 'RuntimeError', 1, 'RuntimeError', true]);
});

describe('two copies of the package in one process', () => {
  const root = fileURLToPath(new URL('../../', import.meta.url));
  const copy = join(folder, 'copy');
  mkdirSync(copy);
  for (const part of ['package.json', 'dist', 'build/Release/mmap_native.node', 'prebuilds'])
    if (existsSync(join(root, part))) cpSync(join(root, part), join(copy, part), { recursive: true });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  const other = pathToFileURL(join(copy, 'dist/index.js')).href;
  const one = lacks(
    process.env['MMAP_NATIVE_PREBUILD'] === undefined,
    'MMAP_NATIVE_PREBUILD names the same addon for both copies',
  );

  const load = (first: string, second: string, between = ''): string => `${FAULTS}
    const one = makeFaults((await import('${first}')).mmap);
    const early = [one.SIGBUS(), one.SIGSEGV()];
    ${between}
    const two = makeFaults((await import('${second}')).mmap);
    const round = () => [one.SIGBUS(), two.SIGBUS(), one.SIGSEGV(), two.SIGSEGV()];
    const now = round();`;
  const copies = (script: string): Ended => run(script, { given, bare: true });

  test.skipIf(one).each([
    ['this one first', library, other],
    ['the other first', other, library],
  ])('%s: faults of both, at once and after both have looked around', (_name, first, second) => {
    const script = `${load(first, second)}
      await turn(${NOTICED});
      const later = round();
      await turn(${2 * NOTICED});
      answer([early, now, later, round()]);`;
    expect(answerOf(copies(script))).toEqual([
      [1, 1],
      [2, 1, 2, 1],
      [3, 2, 3, 2],
      [4, 3, 4, 3],
    ]);
  });

  test.skipIf(one || without).each([
    ['at once', 0],
    ['after both have looked around', 2 * NOTICED],
  ])('a crash ends the process with its signal, %s', (_name, wait) => {
    const script = (crash: string): string => `${load(library, other)} await turn(${wait}); addon.crash('${crash}');`;
    expect(copies(script('null')).signal).toBe('SIGSEGV');
    expect(copies(script('foreign-bus')).signal).toBe('SIGBUS');
  });

  test.skipIf(one || without)('somebody before both is called', () => {
    const script = `addon.install('own', 7); addon.install('own', 11); ${load(library, other)}
      await turn(${2 * NOTICED});
      addon.crash('null');`;
    expect(copies(script).status).toBe(72);
  });

  test.skipIf(one || without)('somebody who comes after both and does not call on is noticed by both', () => {
    const script = `${load(library, other)}
      addon.install('idle', 7);
      addon.install('idle', 11);
      const looped = round();
      await turn(${3 * NOTICED});
      answer([looped, round()]);`;
    expect(answerOf(copies(script))).toEqual([
      [3, 2, 3, 2],
      [4, 3, 4, 3],
    ]);
  });
});
