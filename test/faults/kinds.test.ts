import { describe, expect, test } from 'vitest';
import { PAGE, tempDir } from '../helpers/files.js';
import { noCompiler } from '../helpers/skip.js';
import { answerOf, type Compiled, compile, type FaultRecord, run, survives } from './child.js';

const folder = tempDir();
const without = noCompiler();
const { addon }: Compiled = without ? { addon: '', hostile: '' } : compile(folder);
const given = { folder };

interface Seen {
  readonly seen: readonly number[];
  readonly faults: readonly FaultRecord[];
  readonly sync?: { readonly code: string; readonly offset: number } | null;
  readonly file?: readonly number[];
}
const A = 97;

describe('a file that was cut short', () => {
  test.each(['shared', 'private'])('%s: the page behind its end reads as zeros, the others as before', (sharing) => {
    const { seen, faults } = survives(
      `const file = fileOf(8);
       const m = map(file, { sharing: '${sharing}' });
       fs.truncateSync(file, 4 * P);
       const { bytes } = m;
       answer({ seen: [bytes[0], bytes[4 * P - 1], bytes[5 * P + 7], bytes[5 * P], bytes[3 * P]], faults: m.faults });`,
      'SIGBUS',
      { given },
    ) as Seen;
    expect(seen).toEqual([A, A, 0, 0, A]);
    expect(faults).toEqual([{ kind: 'truncated', pages: 1, writes: 0, first: 5 * PAGE, latest: 5 * PAGE }]);
  });

  test('shared: a write behind its end stays in this process, and sync() says where it is lost', () => {
    const { seen, faults, sync, file } = survives(
      `const file = fileOf(8);
       const m = map(file);
       fs.truncateSync(file, 4 * P);
       m.bytes[6 * P + 5] = 7;
       m.bytes[0] = 1;
       const sync = await failure(() => m.sync());
       const rest = await failure(() => m.sync({ length: 4 * P }));
       answer({
         seen: [m.bytes[6 * P + 5], m.bytes[6 * P + 4], m.bytes[7 * P - 1]], faults: m.faults, sync, rest,
         file: [fs.statSync(file).size, fs.readFileSync(file)[0]],
       });`,
      'SIGBUS',
      { given },
    ) as Seen;
    expect(seen).toEqual([7, 0, 0]);
    expect(faults).toEqual([{ kind: 'truncated', pages: 1, writes: 1, first: 6 * PAGE, latest: 6 * PAGE }]);
    expect(sync).toEqual({ code: 'ERR_LOST_WRITES', offset: 6 * PAGE });
    expect(file, 'neither longer nor without what it can have').toEqual([4 * PAGE, 1]);
  });

  test('shared: a page that was read as zeros first counts the write to it for itself', () => {
    const { faults, sync } = survives(
      `const file = fileOf(8);
       const m = map(file);
       fs.truncateSync(file, 4 * P);
       m.bytes[6 * P];
       const before = await failure(() => m.sync());
       m.bytes[6 * P + 1] = 7;
       m.bytes[6 * P + 2] = 7;
       answer({ seen: [], faults: m.faults, sync: await failure(() => m.sync()), before });`,
      'SIGBUS',
      { given },
    ) as Seen;
    expect(faults).toEqual([
      { kind: 'truncated', pages: 1, writes: 0, first: 6 * PAGE, latest: 6 * PAGE },
      { kind: 'lost-write', pages: 1, writes: 1, first: 6 * PAGE, latest: 6 * PAGE },
    ]);
    expect(sync).toEqual({ code: 'ERR_LOST_WRITES', offset: 6 * PAGE });
  });

  test('private: a page of its own is taken by the kernel too, and what is written then is no lost write', () => {
    const { seen, faults, sync } = survives(
      `const file = fileOf(8);
       const m = map(file, { sharing: 'private' });
       m.bytes[5 * P] = 7;
       fs.truncateSync(file, 4 * P);
       const gone = m.bytes[5 * P];
       m.bytes[6 * P] = 8;
       answer({ seen: [gone, m.bytes[6 * P]], faults: m.faults, sync: await failure(() => m.sync()) });`,
      'SIGBUS',
      { given },
    ) as Seen;
    expect(seen).toEqual([0, 8]);
    expect(faults).toEqual([{ kind: 'truncated', pages: 2, writes: 1, first: 5 * PAGE, latest: 6 * PAGE }]);
    expect(sync).toBeNull();
  });

  test('in the middle of a page: the kernel gives zeros, drops what is written there, and verify() tells', () => {
    // no fault, with or without a guard
    const { seen, faults, file } = answerOf(
      run(
        `const file = fileOf(8);
         const m = map(file);
         fs.truncateSync(file, 4 * P + 100);
         const { bytes } = m;
         const seen = [bytes[4 * P + 99], bytes[4 * P + 100]];
         bytes[4 * P + 1000] = 7;
         const { covered, fileSize } = m.verify();
         answer({ seen, faults: m.faults, file: [Number(covered), fileSize, fs.readFileSync(file).length] });`,
        { given },
      ),
    ) as Seen;
    expect(seen).toEqual([A, 0]);
    expect(faults).toEqual([]);
    expect(file).toEqual([0, 4 * PAGE + 100, 4 * PAGE + 100]);
  });

  test('offsets are in bytes of the mapping, wherever that begins', () => {
    const { faults, sync } = survives(
      `const file = fileOf(8);
       const m = map(file, { offset: P + 1000 });
       fs.truncateSync(file, 4 * P);
       m.bytes[3 * P] = 7;
       answer({ faults: m.faults, sync: await failure(() => m.sync()) });`,
      'SIGBUS',
      { given },
    ) as Seen;
    // bytes[3 * P] lies at 4 * P + 1000 of the file, in the page that begins at bytes[3 * P - 1000]
    expect(faults).toEqual([
      { kind: 'truncated', pages: 1, writes: 1, first: 3 * PAGE - 1000, latest: 3 * PAGE - 1000 },
    ]);
    expect(sync).toEqual({ code: 'ERR_LOST_WRITES', offset: 3 * PAGE - 1000 });
  });

  test('a file that came back before anybody looked is used again', () => {
    const { seen, faults } = answerOf(
      run(
        `const file = fileOf(8);
         const m = map(file);
         m.bytes[6 * P];
         fs.truncateSync(file, 4 * P);
         fs.writeFileSync(file, Buffer.alloc(8 * P, 'b'));
         answer({ seen: [m.bytes[6 * P]], faults: m.faults });`,
        { given },
      ),
    ) as Seen;
    expect(seen).toEqual([A + 1]);
    expect(faults).toEqual([]);
  });
});

describe('a write where there is only reading', () => {
  const mappings: Record<string, string> = {
    'a shared file': "const m = map(fileOf(4), { access: 'read' })",
    'a shared file opened for writing': "const m = map(fs.openSync(fileOf(4), 'r+'), { access: 'read' })",
    'a private file': "const m = map(fileOf(4), { access: 'read', sharing: 'private' })",
    'a file after protect()': "const m = map(fileOf(4)); m.protect('read')",
    'a part of a file after protect()': "const m = map(fileOf(4)); m.protect('read', { offset: P, length: 2 * P })",
    'private memory': "const m = mmap({ backing: 'anonymous', sharing: 'private', length: 4 * P, access: 'read' })",
    'private memory after protect()':
      "const m = mmap({ backing: 'anonymous', sharing: 'private', length: 4 * P }); m.bytes.fill('a'); m.protect('read', { offset: P, length: P })",
    'a memfd after protect()':
      "const m = mmap({ backing: 'anonymous', sharing: 'shared', length: 4 * P }); m.bytes.fill('a'); m.protect('read')",
    'memory without a descriptor after protect()':
      "const m = mmap({ backing: 'anonymous', sharing: 'shared', joinable: false, length: 4 * P }); m.bytes.fill('a'); m.protect('read')",
  };
  test.each(Object.keys(mappings))('%s: a private copy', (name) => {
    const { seen, faults, sync } = survives(
      `${mappings[name]};
       const before = m.bytes[P];
       m.bytes[P + 10] = 7;
       const file = new RegExp(given.folder + '/\\\\S+').exec(fs.readFileSync('/proc/self/maps', 'latin1'))?.[0];
       answer({
         seen: [m.bytes[P + 10], m.bytes[P] - before, m.bytes[P + 11] - before, m.bytes[0] - before,
           file === undefined ? 0 : Buffer.compare(fs.readFileSync(file), Buffer.alloc(4 * P, 'a'))],
         faults: m.faults, sync: await failure(() => m.sync()) });`,
      'SIGSEGV',
      { given },
    ) as Seen;
    expect(seen, 'its own, the bytes around it, the page before, the file').toEqual([7, 0, 0, 0, 0]);
    expect(faults).toEqual([{ kind: 'read-only', pages: 1, writes: 1, first: PAGE, latest: PAGE }]);
    expect(sync).toBeNull();
  });

  test('the other pages follow the file, and refresh() lets this one follow again', () => {
    const { seen } = survives(
      `const file = fileOf(4);
       const m = map(file, { access: 'read' });
       m.bytes[P] = 7;
       fs.writeFileSync(file, Buffer.alloc(4 * P, 'b'));
       const seen = [m.bytes[0], m.bytes[P], m.bytes[P + 1]];
       const { pages } = await m.refresh();
       answer({ seen: [...seen, pages, m.bytes[P]], faults: m.faults });`,
      'SIGSEGV',
      { given },
    ) as Seen;
    expect(seen).toEqual([A + 1, 7, A, 1, A + 1]);
  });

  test('what was written never gets to the file, also if writing is allowed later', () => {
    const { seen, sync, file } = survives(
      `const file = fileOf(4);
       const m = map(file);
       m.protect('read');
       m.bytes[0] = 7;
       m.protect('readwrite');
       const sync = await failure(() => m.sync());
       await m.refresh({ lostWrites: 'write-back' });
       answer({ seen: [m.bytes[0]], faults: m.faults, sync, file: [fs.readFileSync(file)[0]] });`,
      'SIGSEGV',
      { given },
    ) as Seen;
    expect(sync).toBeNull();
    expect([...seen, ...(file ?? [])]).toEqual([A, A]);
  });

  test('what is written to that page once it is allowed is a lost write', () => {
    const { faults, sync } = survives(
      `const m = map(fileOf(4));
       m.protect('read');
       m.bytes[0] = 7;
       m.protect('readwrite');
       m.bytes[1] = 8;
       answer({ seen: [], faults: m.faults, sync: await failure(() => m.sync()) });`,
      'SIGSEGV',
      { given },
    ) as Seen;
    expect(faults.map(({ kind, pages }) => [kind, pages])).toEqual([
      ['read-only', 1],
      ['lost-write', 1],
    ]);
    expect(sync).toEqual({ code: 'ERR_LOST_WRITES', offset: 0 });
  });

  test("protect('read') does not hide what was lost before", () => {
    const { sync } = survives(
      `const file = fileOf(4);
       const m = map(file);
       fs.truncateSync(file, 0);
       m.bytes[0] = 7;
       m.protect('read');
       answer({ seen: [], faults: m.faults, sync: await failure(() => m.sync()) });`,
      'SIGBUS',
      { given },
    ) as Seen;
    expect(sync).toEqual({ code: 'ERR_LOST_WRITES', offset: 0 });
  });
});

describe.skipIf(without)('a memory error', () => {
  const BUS_MCEERR_AR = 4;
  const BUS_MCEERR_AO = 5;
  test.each([BUS_MCEERR_AR, BUS_MCEERR_AO])('si_code %d: the page reads as zeros, kind io', (code) => {
    const { seen, faults } = survives(
      `const m = map(fileOf(4), { access: 'read' });
       addon.sendFault(7, ${code}, m.bytes, 2 * P + 64);
       answer({ seen: [m.bytes[2 * P], m.bytes[P], m.bytes[3 * P]], faults: m.faults });`,
      'SIGBUS',
      { given: { folder, addon } },
    ) as Seen;
    expect(seen).toEqual([0, A, A]);
    expect(faults).toEqual([expect.objectContaining({ kind: 'io', pages: 1, first: 2 * PAGE })]);
  });
});

describe.skipIf(without)('an access after an unmap that had to keep the range', () => {
  test('a job that still has the address finds zeros, and each page is counted', () => {
    const { seen, faults } = answerOf(
      run(
        `const file = fileOf(8);
         const m = map(file);
         const { bytes } = m;
         addon.hold(bytes);
         m.unmapSync();
         const named = fs.readFileSync('/proc/self/maps', 'latin1').includes(file);
         const seen = [Number(named), addon.peek(2 * P), addon.peek(2 * P)];
         addon.poke(6 * P, 7);
         answer({ seen: [...seen, addon.peek(6 * P), bytes.length, fs.readFileSync(file)[6 * P]], faults: m.faults });`,
        { given: { folder, addon } },
      ),
    ) as Seen;
    expect(seen, 'the file is let go, zeros, what was written, a detached view, the file').toEqual([0, 0, 0, 7, 0, A]);
    expect(faults).toEqual([{ kind: 'unmapped', pages: 2, writes: 1, first: 2 * PAGE, latest: 6 * PAGE }]);
  });

  test('threads in the middle of reading go on', () => {
    const wrong = answerOf(
      run(
        `const m = map(fileOf(2000, 0));
         addon.start('read', m.bytes, 8, 1, 1);
         m.unmapSync();
         answer(addon.join());`,
        { given: { folder, addon } },
      ),
    );
    expect(wrong).toBe(0);
  });
});

test("with onFault: 'signal' the kernel has its way", () => {
  const cut = `const file = fileOf(4);
    const m = map(file, { onFault: 'signal' });
    fs.truncateSync(file, 0);
    m.bytes[0];`;
  expect(run(cut, { given }).signal).toBe('SIGBUS');
  const stray = `const m = map(fileOf(4), { access: 'read', onFault: 'signal' });
    m.bytes[0] = 1;`;
  expect(run(stray, { given }).signal).toBe('SIGSEGV');
});
