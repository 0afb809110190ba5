import { describe, expect, test } from 'vitest';
import { PAGE, tempDir } from '../helpers/files.js';
import { answerOf, library, run, type RunOptions, survives } from './child.js';

/** What the program learns of faults, and how it gets its bytes back. */

const folder = tempDir();
const given = { folder };
const answers = (script: string, options: Partial<RunOptions> = {}): unknown =>
  answerOf(run(script, { given, ...options }));
/** A mapping `m` of `pages` pages full of 'a', whose file was cut to one. */
const CUT = `const file = fileOf(64); const m = map(file); const { bytes } = m; fs.truncateSync(file, P);`;

describe('faultCount', () => {
  test('is right at the very access, in a hot loop', () => {
    const noticed = survives(
      `const file = fileOf(256);
       const m = map(file);
       const { bytes } = m;
       const scan = (from, to) => {
         let sum = 0;
         for (let i = from; i < to; i++) {
           sum += bytes[i];
           if (m.faultCount !== 0) return i;
         }
         return sum;
       };
       for (let i = 0; i < 20; i++) scan(0, 32 * P);
       fs.truncateSync(file, 100 * P);
       answer(scan(0, 256 * P));`,
      'SIGBUS',
      { given },
    );
    expect(noticed).toBe(100 * PAGE);
  });

  test('counts what faults() has, through resize() and unmap()', () => {
    expect(
      answers(`${CUT}
        const seen = [m.faultCount];
        bytes[10 * P] = 1;
        bytes[20 * P];
        bytes[20 * P] = 1;
        seen.push(m.faultCount, m.faults.length);
        fs.truncateSync(file, 64 * P);
        await m.refresh({ lostWrites: 'discard' });
        m.resize(32 * P);
        seen.push(m.faultCount);
        fs.truncateSync(file, P);
        m.bytes[5 * P];
        answer([...seen, m.faultCount]);`),
    ).toEqual([0, 3, 2, 3, 4]);
  });

  // lib/faults.ts counts the word twice once it is handed over
  test('and faults() are known after unmap() too', () => {
    expect(answers(`${CUT} bytes[10 * P]; m.unmapSync(); answer([m.faultCount, m.faults]);`)).toEqual([
      1,
      [{ kind: 'truncated', pages: 1, writes: 0, first: 10 * PAGE, latest: 10 * PAGE }],
    ]);
  });

  test('of two mappings of a file are two', () => {
    expect(
      answers(`${CUT}
        const other = map(file, { length: P });
        const third = map(fileOf(4));
        bytes[2 * P];
        answer([m.faultCount, other.faultCount, third.faultCount]);`),
    ).toEqual([1, 0, 0]);
  });
});

describe('the event', () => {
  test('is one for many faults, with what they were', () => {
    expect(
      answers(`${CUT}
        const events = [];
        m.on('fault', (faults) => events.push(faults));
        for (let i = 1; i < 64; i++) bytes[i * P] = i;
        await turn();
        const once = events.length;
        await turn();
        answer([once, events.length, events[0]]);`),
    ).toEqual([1, 1, [{ kind: 'truncated', pages: 63, writes: 63, first: PAGE, latest: 63 * PAGE }]]);
  });

  test('comes again for new faults, to each listener, and to none after off()', () => {
    expect(
      answers(`${CUT}
        let [first, second] = [0, 0];
        const one = () => first++;
        m.on('fault', one).on('fault', () => second++);
        bytes[P]; await turn();
        m.off('fault', one);
        bytes[9 * P]; await turn();
        answer([first, second]);`),
    ).toEqual([1, 2]);
  });

  test('does not keep the process alive, nor does the listener', () => {
    const { status, stdout } = run(`${CUT} m.on('fault', () => {}); bytes[P]; answer(m.faultCount);`, { given });
    expect([status, stdout]).toEqual([0, '1']);
  });

  test('is heard in the worker that mapped, and nowhere else', () => {
    expect(
      answers(
        `const { Worker } = await import('node:worker_threads');
         const file = fileOf(8);
         const worker = new Worker(\`
           const { parentPort, workerData } = require('node:worker_threads');
           const { truncateSync } = require('node:fs');
           import('${library}').then(({ mmap }) => {
             const m = mmap({ backing: 'file', sharing: 'shared', file: workerData });
             globalThis.kept = m;
             m.on('fault', ([{ kind, pages }]) => parentPort.postMessage([kind, pages]));
             truncateSync(workerData, 0);
             m.bytes[4096];
             setTimeout(() => {}, 200);
           });\`, { eval: true, execArgv: [], workerData: file });
         const own = map(fileOf(4));
         let heard = 0;
         own.on('fault', () => heard++);
         const messages = [];
         worker.on('message', (message) => messages.push(message));
         await new Promise((resolve) => worker.once('exit', resolve));
         answer([messages, heard]);`,
      ),
    ).toEqual([[['truncated', 1]], 0]);
  });

  test('one warning in a process where nobody listens, and none where somebody does', () => {
    const quiet = run(`${CUT} m.on('fault', () => {}); bytes[P]; await turn();`, { given });
    expect(quiet.stderr).toBe('');
    const { stderr } = run(
      `${CUT} bytes[P]; await turn(); bytes[9 * P]; await turn();
       const other = map(fileOf(4), { access: 'read' }); other.bytes[0] = 1; await turn();`,
      { given },
    );
    expect(stderr.match(/MMAP_FAULT/g)).toHaveLength(1);
    expect(stderr).toContain('truncated (1 pages, the first at byte 4096)');
  });
});

describe('a mapping that ends before its faults were told', () => {
  test('tells its listener when it was unmapped', () => {
    expect(
      answers(`${CUT}
        const heard = [];
        m.on('fault', ([{ kind, first }]) => heard.push(kind, first));
        bytes[3 * P];
        m.unmapSync();
        await turn();
        answer(heard);`),
    ).toEqual(['truncated', 3 * PAGE]);
  });

  test('is a warning when it was collected', () => {
    const script = `{ const dropped = map(fileOf(8), { access: 'read' }); dropped.bytes[0] = 1; }
       for (let i = 0; i < 3; i++) { gc(); await turn(); }`;
    expect(run(script, { given, flags: ['--expose-gc'] }).stderr).toContain('read-only (1 pages');
  });
});

describe('lost writes', () => {
  const LOST = `${CUT} bytes[5 * P + 3] = 7;`;
  test('sync() of the page rejects, again and again; sync() of the others does not', () => {
    expect(
      answers(`${LOST}
        const whole = () => failure(() => m.sync());
        const here = await failure(() => m.sync({ offset: 5 * P, length: 1 }));
        const elsewhere = await failure(() => m.sync({ offset: 6 * P, length: 10 * P }));
        answer([await whole(), await whole(), await failure(() => m.syncSync()), here, elsewhere]);`),
    ).toEqual([...Array.from({ length: 4 }, () => ({ code: 'ERR_LOST_WRITES', offset: 5 * PAGE })), null]);
  });

  test('unmap() rejects, has unmapped, and does not say it twice', () => {
    expect(
      answers(`${LOST}
        const first = await failure(() => m.unmap());
        answer([first, m.unmapped, await failure(() => m.unmap()), m.faults[0].kind]);`),
    ).toEqual([{ code: 'ERR_LOST_WRITES', offset: 5 * PAGE }, true, null, 'truncated']);
    expect(answers(`${LOST} answer([await failure(() => m.unmapSync()), m.unmapped]);`)).toEqual([
      { code: 'ERR_LOST_WRITES', offset: 5 * PAGE },
      true,
    ]);
    expect(answers(`${LOST} answer(await failure(() => m[Symbol.asyncDispose]()));`)).toMatchObject({
      code: 'ERR_LOST_WRITES',
    });
  });

  test('unmap() of a large mapping, in the thread pool', () => {
    expect(
      answers(`const file = fileOf(512); const m = map(file); fs.truncateSync(file, 0); m.bytes[5 * P] = 7;
        answer([await failure(() => m.unmap()), fs.readFileSync('/proc/self/maps', 'latin1').includes(file)]);`),
    ).toEqual([{ code: 'ERR_LOST_WRITES', offset: 5 * PAGE }, false]);
  });

  test('dispose does not throw over another exception, and warns', () => {
    const { status, stdout, stderr } = run(
      `${LOST}
       m.on('fault', () => {});
       try {
         try { throw new Error('mine'); } finally { m[Symbol.dispose](); }
       } catch (error) { answer([error.message, m.unmapped]); }`,
      { given },
    );
    expect([status, JSON.parse(stdout)]).toEqual([0, ['mine', true]]);
    expect(stderr).toContain('ERR_LOST_WRITES');
  });
});

test('verify() looks at the file without an access', () => {
  expect(
    answers(`const file = fileOf(8);
      const m = map(file, { offset: P, length: 4 * P });
      const seen = [m.verify()];
      fs.truncateSync(file, 5 * P);
      seen.push(m.verify());
      fs.truncateSync(file, 5 * P - 1);
      seen.push(m.verify());
      fs.truncateSync(file, 0);
      m.bytes[P] = 1;
      seen.push(m.verify());
      const faults = m.faultCount;
      m.unmap().catch(() => {});
      answer([...seen, faults, await failure(() => m.verify()),
        await failure(() => mmap({ backing: 'anonymous', sharing: 'private', length: P }).verify())]);`),
  ).toEqual([
    { fileSize: 8 * PAGE, covered: true, lostPages: 0 },
    { fileSize: 5 * PAGE, covered: true, lostPages: 0 },
    { fileSize: 5 * PAGE - 1, covered: false, lostPages: 0 },
    { fileSize: 0, covered: false, lostPages: 1 },
    1,
    { code: 'ERR_INVALID_STATE' },
    { code: 'ERR_INVALID_STATE' },
  ]);
});

describe('refresh()', () => {
  /** Two lost pages, one that was only read; then the file is back, full of 'b'. */
  const BACK = `${CUT}
    bytes[5 * P + 3] = 7;
    bytes[9 * P] = 8;
    bytes[20 * P];
    const back = () => fs.writeFileSync(file, Buffer.alloc(64 * P, 'b'));
    const isFile = () => Buffer.compare(fs.readFileSync(file), bytes) === 0;`;

  test('without a word about lost writes is refused, and changes nothing', () => {
    expect(
      answers(`${BACK} back();
        answer([await failure(() => m.refresh()), await failure(() => m.refreshSync()), bytes[5 * P + 3], m.verify().lostPages]);`),
    ).toEqual([{ code: 'ERR_LOST_WRITES', offset: 5 * PAGE }, { code: 'ERR_LOST_WRITES', offset: 5 * PAGE }, 7, 2]);
  });

  test('without lost writes gives the pages back to the file', () => {
    expect(
      answers(`${CUT} bytes[20 * P]; fs.writeFileSync(file, Buffer.alloc(64 * P, 'b'));
        const before = bytes[20 * P];
        const { pages, lostWrites } = await m.refresh();
        answer([before, pages, lostWrites, bytes[20 * P]]);`),
    ).toEqual([0, 1, [], 98]);
  });

  test("'write-back': the file has the bytes, byte for byte, and the pages are the file's", () => {
    expect(
      answers(`${BACK} back();
        const expected = Buffer.alloc(64 * P, 'b');
        expected.fill(0, 5 * P, 6 * P)[5 * P + 3] = 7;
        expected.fill(0, 9 * P, 10 * P)[9 * P] = 8;
        const { pages, lostWrites } = await m.refresh({ lostWrites: 'write-back' });
        const same = Buffer.compare(fs.readFileSync(file), expected) === 0;
        fs.writeFileSync(file, Buffer.alloc(64 * P, 'c'));
        answer([pages, lostWrites, same, isFile(), await failure(() => m.sync()), bytes[5 * P + 3]]);`),
    ).toEqual([3, [], true, true, null, 99]);
  });

  test("'return': the bytes are handed back, and not written", () => {
    expect(
      answers(`${BACK} back();
        const { pages, lostWrites } = await m.refresh({ lostWrites: 'return' });
        const sorted = [...lostWrites].sort((a, b) => a.offset - b.offset);
        answer([pages, sorted.map(({ offset, bytes }) => [offset, bytes.length, bytes[3], bytes[0]]), isFile(), bytes[9 * P],
          await failure(() => m.sync())]);`),
    ).toEqual([
      3,
      [
        [5 * PAGE, PAGE, 7, 0],
        [9 * PAGE, PAGE, 0, 8],
      ],
      true,
      98,
      null,
    ]);
  });

  test("'discard': neither", () => {
    expect(
      answers(`${BACK} back();
        const { pages, lostWrites } = m.refreshSync({ lostWrites: 'discard' });
        answer([pages, lostWrites, isFile(), await failure(() => m.sync())]);`),
    ).toEqual([3, [], true, null]);
  });

  test('of a file that is still too short: what it covers comes back, the rest stays', () => {
    expect(
      answers(`${BACK}
        fs.truncateSync(file, 6 * P);
        const first = await m.refresh({ lostWrites: 'write-back' });
        const state = [first.pages, fs.statSync(file).size, fs.readFileSync(file)[5 * P + 3], bytes[9 * P], m.verify().lostPages];
        fs.truncateSync(file, 9 * P + 1);
        const second = await m.refresh({ lostWrites: 'write-back' });
        answer([...state, second.pages, fs.statSync(file).size, m.verify().lostPages, await failure(() => m.sync())]);`),
    ).toEqual([1, 6 * PAGE, 7, 8, 1, 0, 9 * PAGE + 1, 1, { code: 'ERR_LOST_WRITES', offset: 9 * PAGE }]);
  });

  test('only the part of a page that is the mapping is written back, or returned', () => {
    expect(
      answers(`const file = fileOf(4);
        const m = map(file, { offset: 100, length: P });
        fs.truncateSync(file, 0);
        m.bytes[0] = 7;
        m.bytes[P - 1] = 8;
        fs.writeFileSync(file, Buffer.alloc(4 * P, 'b'));
        await m.refresh({ lostWrites: 'write-back' });
        const now = fs.readFileSync(file);
        answer([now[99], now[100], now[101], now[P + 99], now[P + 100]]);`),
    ).toEqual([98, 7, 0, 8, 98]);
  });

  test('a private mapping keeps what is its own, and never writes to the file', () => {
    expect(
      answers(`const file = fileOf(4);
        const m = map(fs.openSync(file, 'r+'), { sharing: 'private' });
        fs.truncateSync(file, 0);
        m.bytes[P] = 7;
        m.bytes[3 * P];
        fs.writeFileSync(file, Buffer.alloc(4 * P, 'b'));
        const { pages } = await m.refresh({ lostWrites: 'write-back' });
        answer([pages, m.bytes[P], m.bytes[3 * P], fs.readFileSync(file)[P]]);`),
    ).toEqual([1, 7, 98, 98]);
  });

  test('then resize() is allowed again', () => {
    expect(
      answers(`${BACK}
        const refused = await failure(() => m.resize(2 * P));
        back();
        await m.refresh({ lostWrites: 'discard' });
        m.resize(2 * P);
        answer([refused.code, m.length]);`),
    ).toEqual(['EBUSY', 2 * PAGE]);
  });

  test('while threads of the process go on writing, nothing is lost', () => {
    // test/faults/stress.test.ts has it at length; here the page is the same for everybody
    expect(
      answers(
        `const { Worker } = await import('node:worker_threads');
         const file = fileOf(4);
         const m = map(file);
         const counter = m.view(BigInt64Array, 0, 8);
         Atomics.store(counter, 0, 0n);
         const worker = new Worker(\`
           const { workerData } = require('node:worker_threads');
           import('${library}').then(({ attach }) => {
             const counter = attach(workerData).view(BigInt64Array, 0, 8);
             for (let i = 0; i < 300000; i++) Atomics.add(counter, 0, 1n);
           });\`, { eval: true, execArgv: [], workerData: m.handle() });
         let ended = false;
         worker.once('exit', () => (ended = true));
         let rounds = 0;
         let own = 0n;
         while (!ended) {
           m.protect('read');
           m.protect('readwrite');
           Atomics.add(counter, 0, 1n);
           own++;
           if (rounds++ % 10 === 0) await turn(0);
           await m.refresh({ lostWrites: 'write-back' });
         }
         answer([Number(counter[0] - own), fs.readFileSync(file).readBigInt64LE() === counter[0]]);`,
      ),
    ).toEqual([300_000, true]);
  });
});
