import { describe, expect, test } from 'vitest';
import { tempDir } from '../helpers/files.js';
import { noCompiler, noStrace } from '../helpers/skip.js';
import { answerOf, type Compiled, compile, library, run, type RunOptions } from './child.js';

/** What is not about a mapping goes where it would have gone without this library. */

const folder = tempDir();
const without = noCompiler();
const { addon }: Compiled = without ? { addon: '', hostile: '' } : compile(folder);
const given = { folder, addon };

/** Mapped, the handler in its place, and used where there is a guard. */
const WARM = `
  const truncated = map(fileOf(64));
  fs.truncateSync(given.folder + '/' + fs.readdirSync(given.folder).find((name) => name.startsWith('data-' + process.pid)), 0);
  const readonly = map(fileOf(64), { access: 'read' });
  const guarded = process.env.MMAP_NATIVE_GUARD === 'on';
  const bus = () => { if (guarded) truncated.bytes[truncated.faultCount * P] = 1; return truncated.faultCount; };
  const segv = () => { if (guarded) readonly.bytes[readonly.faultCount * P] = 1; return readonly.faultCount; };
  bus();
  segv();
`;

/** How the process ends, which is as without the guard. */
const ends = (script: string, options: Partial<RunOptions> = {}): unknown => {
  const [off, on] = (['off', 'on'] as const).map((guard) => {
    const { status, signal } = run(WARM + script, { given, guard, ...options });
    return signal ?? status;
  });
  expect(on, 'as without the guard').toBe(off);
  return on;
};

describe.skipIf(without)('a crash', () => {
  test.each([
    ['null', 'SIGSEGV'],
    ['wild', 'SIGSEGV'],
    ['non-canonical', 'SIGSEGV'],
    ['read-only', 'SIGSEGV'],
    ['foreign-bus', 'SIGBUS'],
    ['abort', 'SIGABRT'],
    ['fpe', 'SIGFPE'],
    ['ill', 'SIGILL'],
    ['stack', 'SIGSEGV'],
    ['raise-bus', 'SIGBUS'],
    ['raise-segv', 'SIGSEGV'],
  ])('%s ends the process with %s', (crash, signal) => {
    expect(ends(`addon.crash('${crash}');`)).toBe(signal);
  });

  test.each(['SIGBUS', 'SIGSEGV'])('%s that was sent ends the process with it', (signal) => {
    expect(ends(`process.kill(process.pid, '${signal}'); await turn(3000);`)).toBe(signal);
  });

  test('in a worker ends the process too', () => {
    const crash = `
      const { Worker } = await import('node:worker_threads');
      new Worker('require(process.env.ADDON).crash("null")', { eval: true, execArgv: [] });
      await turn(3000);`;
    expect(ends(crash, { env: { ADDON: addon } })).toBe('SIGSEGV');
  });

  test.skipIf(noStrace())('the last the kernel sees is the crash itself, so that a core has its frame', () => {
    const last = (crash: string, guard: 'on' | 'off'): string | undefined => {
      const through = ['strace', '-f', '-qqq', '-e', 'trace=none', '-e', 'signal=SIGSEGV,SIGBUS'];
      const { stderr } = run(`${WARM} addon.crash('${crash}');`, { given, guard, through });
      const line = stderr.split('\n').findLast((one) => one.includes('--- SIG'));
      return line?.replace(/^\[pid +\d+\] /, '').replaceAll(/(si_addr|si_pid)=(0x)?[\da-f]+/g, '$1=…');
    };
    for (const crash of ['null', 'foreign-bus', 'raise-bus', 'stack']) {
      const off = last(crash, 'off');
      expect(off).toContain('si_code=');
      expect(last(crash, 'on'), crash).toBe(off);
    }
    expect(last('foreign-bus', 'on')).toBe('--- SIGBUS {si_signo=SIGBUS, si_code=BUS_ADRERR, si_addr=…} ---');
  });
});

test('a stack overflow of JavaScript is caught, with faults in the frames', () => {
  const overflow = `
    const deep = (i) => { if (i < 50) segv(); return 1 + deep(i + 1); };
    let caught = false;
    try { deep(0); } catch (error) { caught = error instanceof RangeError; }
    if (!caught) process.exitCode = 9;`;
  expect(ends(overflow)).toBe(0);
});

describe('WebAssembly', () => {
  // (module (memory 1) (func (export "load") (param i32) (result i32) local.get 0 i32.load))
  const WASM = `
    const module = new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 5, 3, 1, 0, 1,
      7, 8, 1, 4, 108, 111, 97, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 40, 2, 0, 11]));
    const { load } = new WebAssembly.Instance(module).exports;
    const trap = () => { try { return load(1 << 20); } catch (error) { return error.message; } };`;
  const OUT = 'memory access out of bounds';

  test('traps before, between and after faults', () => {
    const script = `${WASM} const first = trap(); ${WARM}
      answer([first, ...[0, 1, 2].flatMap(() => [bus(), trap(), segv(), load(0)])]);`;
    expect(answerOf(run(script, { given }))).toEqual([OUT, 2, OUT, 2, 0, 3, OUT, 3, 0, 4, OUT, 4, 0]);
  });

  test('traps in a worker, while the main thread has faults', () => {
    const script = `${WARM}
      const { Worker } = await import('node:worker_threads');
      const worker = new Worker(\`${WASM}
        let caught = 0;
        for (let i = 0; i < 2000; i++) caught += trap() === '${OUT}' ? 1 : 0;
        require('node:worker_threads').parentPort.postMessage(caught);\`, { eval: true, execArgv: [] });
      const caught = new Promise((resolve) => worker.once('message', resolve));
      while (truncated.faultCount < 60) { bus(); segv(); await turn(1); }
      answer(await caught);`;
    expect(answerOf(run(script, { given }))).toBe(2000);
  });

  test('traps in the main thread after a worker that alone had loaded the library has ended', () => {
    const worker = `
      const { parentPort, workerData } = require('node:worker_threads');
      const { truncateSync } = require('node:fs');
      import('${library}').then(({ mmap }) => {
        const m = mmap({ backing: 'file', sharing: 'shared', file: workerData });
        truncateSync(workerData, 0);
        parentPort.postMessage([m.bytes[0], m.faultCount]);
      });`;
    const script = `${WASM}
      const { Worker } = await import('node:worker_threads');
      const worker = new Worker(${JSON.stringify(worker)}, { eval: true, execArgv: [], workerData: fileOf(4) });
      const seen = await new Promise((resolve) => worker.once('message', resolve));
      await new Promise((resolve) => worker.once('exit', resolve));
      answer([...seen, trap(), load(0), trap()]);`;
    expect(answerOf(run(script, { given, bare: true }))).toEqual([0, 1, OUT, 0, OUT]);
  });
});

test('children of a process with faults are as ever', () => {
  const script = `${WARM}
    const { spawnSync } = await import('node:child_process');
    const ended = [];
    for (let i = 0; i < 10; i++) { bus(); segv(); ended.push(spawnSync('true').status); }
    const { signal } = spawnSync(process.execPath, ['-e', 'process.kill(process.pid, "SIGBUS"); setTimeout(() => {}, 3000)']);
    answer([ended.every((status) => status === 0), signal]);`;
  expect(answerOf(run(script, { given }))).toEqual([true, 'SIGBUS']);
});

test('--cpu-prof samples through faults', () => {
  const script = `
    const file = fileOf(20000);
    const m = map(file);
    fs.truncateSync(file, 0);
    for (let i = 0; i < 20000; i++) m.bytes[i * P] = 1;
    answer(m.faults[0].pages);`;
  const flags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, '--cpu-prof-interval=100'];
  expect(answerOf(run(script, { given, flags }))).toBe(20_000);
});
