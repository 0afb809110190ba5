import { describe, expect, test } from 'vitest';
import { tempDir } from '../helpers/files.js';
import { noCompiler } from '../helpers/skip.js';
import { answerOf, compile, type FaultRecord, run, type RunOptions, survives } from './child.js';

/** Faults use up neither the areas of vm.max_map_count, nor descriptors, nor a small stack. */

const folder = tempDir();
const without = noCompiler();
const { addon } = without ? { addon: '' } : compile(folder);
const given = { folder, addon };
const answers = (script: string, options: Partial<RunOptions> = {}): unknown =>
  answerOf(run(script, { given, limit: 60_000, ...options }));

const AREAS = `
  const areas = () => fs.readFileSync('/proc/self/maps', 'latin1').split('\\n').length;
  const sparse = (pages) => { const path = fileOf(0); fs.truncateSync(path, pages * P); return path; };
  // every page once, in an order that has no neighbours
  const shuffled = (pages) => { const step = 77773; return Array.from({ length: pages }, (_, i) => i * step % pages); };
  const before = areas();
  let [most, sum] = [0, 0];
  const look = (i) => { if (i % 10000 === 0) most = Math.max(most, areas() - before); };
`;
/** Far from 65,530, and from the tenth of it that is kept free. */
const FEW = 3000;

describe('areas of address space: 200,000 pages', () => {
  const N = 200_000;
  const cases: Record<string, string> = {
    'read at random behind the end': `
      const m = map(file); fs.truncateSync(file, 0);
      for (const [i, page] of shuffled(N).entries()) { sum += m.bytes[page * P]; look(i); }`,
    'written at random behind the end': `
      const m = map(file); fs.truncateSync(file, 0);
      for (const [i, page] of shuffled(N).entries()) { m.bytes[page * P] = 1; look(i); }`,
    'read one after the other, and then every second written': `
      const m = map(file); fs.truncateSync(file, 0);
      for (let i = 0; i < N; i++) sum += m.bytes[i * P];
      for (let i = 0; i < N; i += 2) { m.bytes[i * P] = 1; look(i); }`,
    'read and written in turn, backwards': `
      const m = map(file); fs.truncateSync(file, 0);
      for (let i = N - 1; i >= 0; i--) { if (i % 2 === 0) sum += m.bytes[i * P]; else m.bytes[i * P] = 1; look(i); }`,
    'written one after the other where there is only reading': `
      const m = map(file, { access: 'read' });
      for (let i = 0; i < N; i++) { m.bytes[i * P] = 1; look(i); }`,
    'written at random where there is only reading': `
      const m = map(file, { access: 'read' });
      for (const [i, page] of shuffled(N).entries()) { m.bytes[page * P] = 1; look(i); }`,
    'that, and then the file is cut': `
      const m = map(file, { access: 'read' });
      for (const page of shuffled(N)) m.bytes[page * P] = 1;
      fs.truncateSync(file, 0);
      for (const [i, page] of shuffled(N).entries()) { sum += m.bytes[page * P]; look(i); }`,
    'written at random in private memory where there is only reading': `
      const m = mmap({ backing: 'anonymous', sharing: 'private', length: N * P, access: 'read' });
      for (const [i, page] of shuffled(N).entries()) { m.bytes[page * P] = 1; look(i); }`,
  };
  test.each(Object.keys(cases))('%s', { timeout: 60_000 }, (name) => {
    const { most, faults } = answers(`${AREAS} const N = ${N}; const file = sparse(N); ${cases[name]}
      answer({ most, sum, faults: m.faults });`) as { most: number; faults: FaultRecord[] };
    expect(most).toBeLessThan(FEW);
    expect(Math.max(...faults.map(({ pages }) => pages))).toBeGreaterThanOrEqual(N / 2);
  });

  test('in small pieces of 3,000 mappings', { timeout: 60_000 }, () => {
    const { most, right } = answers(`${AREAS}
      const file = sparse(16);
      const all = Array.from({ length: 3000 }, () => map(file, { access: 'read' }));
      const start = areas();
      let right = 0;
      for (const m of all) {
        for (let page = 1; page < 16; page += 2) m.bytes[page * P] = 1;
        right += m.bytes[P] === 1 && m.bytes[2 * P] === 0 ? 1 : 0;
      }
      answer({ most: areas() - start, right });`) as { most: number; right: number };
    expect(right).toBe(3000);
    // 2,048 islands of two, and no more
    expect(most).toBeLessThan(5000);
  });

  test('pages that merely went along are not written back over what the file has by then', { timeout: 60_000 }, () => {
    const seen = answers(`${AREAS}
      const N = 20000;
      const file = sparse(N);
      const m = map(file);
      fs.truncateSync(file, 0);
      const touched = shuffled(N).slice(0, 1000);
      for (const page of touched) m.bytes[page * P] = 1;
      const { pages } = m.faults[0];
      const content = Buffer.alloc(N * P, 'b');
      fs.writeFileSync(file, content);
      await m.refresh({ lostWrites: 'write-back' });
      for (const page of touched) { content.fill(0, page * P, (page + 1) * P); content[page * P] = 1; }
      answer([pages > 2000, Buffer.compare(fs.readFileSync(file), content), Buffer.compare(m.bytes, content), m.verify().lostPages]);`);
    expect(seen, 'some went along; file and memory are as they were written').toEqual([true, 0, 0, 0]);
  });
});

test('100,000 faults in a row leave nothing behind', { timeout: 60_000 }, () => {
  const { grown, count, sum } = answers(
    `const file = fileOf(1, 0);
     const resident = () => Number(/^VmRSS:\\s+(\\d+)/m.exec(fs.readFileSync('/proc/self/status', 'utf8'))[1]);
     const m = map(file);
     let sum = 0;
     const round = () => {
       fs.truncateSync(file, 0);
       sum += m.bytes[0];
       fs.truncateSync(file, P);
       m.refreshSync();
     };
     for (let i = 0; i < 5000; i++) round();
     const before = resident();
     for (let i = 5000; i < 100000; i++) round();
     answer({ grown: resident() - before, count: m.faultCount, sum });`,
  ) as { grown: number; count: number; sum: number };
  expect([count, sum]).toEqual([100_000, 0]);
  // a page kept of each fault would be 400 MB; a sanitizer keeps some of what was freed
  expect(grown, 'KiB').toBeLessThan(65_536);
});

describe('descriptors', () => {
  test('mappings of one file share one, and it is closed with the last of them', () => {
    expect(
      answers(`const file = fileOf(4);
        const open = () => fs.readdirSync('/proc/self/fd').filter((fd) => {
          try { return fs.readlinkSync('/proc/self/fd/' + fd) === file; } catch { return false; }
        });
        const all = Array.from({ length: 100 }, () => map(file));
        const shared = open();
        const flags = fs.readFileSync('/proc/self/fdinfo/' + shared[0], 'latin1').match(/flags:\\s+(\\d+)/)[1];
        all[0].bytes[0];
        for (const m of all) m.unmapSync();
        answer([shared.length, (Number.parseInt(flags, 8) & 0o2000000) !== 0, open().length]);`),
    ).toEqual([1, true, 0]);
  });

  test('where they have run out a mapping is made, and is guarded all the same', () => {
    const { seen, faults } = answers(
      `const [file, other] = [fileOf(8), fileOf(8)];
       const [fd, readable] = [fs.openSync(file, 'r+'), fs.openSync(other, 'r')];
       const filler = [];
       try { for (;;) filler.push(fs.openSync('/dev/null', 'r')); } catch ({ code }) { if (code !== 'EMFILE') throw new Error(code); }
       const m = map(fd);
       const readonly = map(readable, { access: 'read' });
       fs.ftruncateSync(fd, 4 * P);
       const seen = [m.bytes[0], m.bytes[5 * P]];
       m.bytes[6 * P] = 7;
       readonly.bytes[P] = 8;
       for (const each of filler) fs.closeSync(each);
       seen.push(m.bytes[6 * P], readonly.bytes[P], readonly.bytes[P + 1]);
       answer({ seen, faults: [...m.faults, ...readonly.faults] });`,
      { through: ['prlimit', '--nofile=64'] },
    ) as { seen: number[]; faults: FaultRecord[] };
    expect(seen).toEqual([97, 0, 7, 8, 97]);
    expect(faults.map(({ kind, pages }) => [kind, pages])).toEqual([
      ['truncated', 2],
      ['read-only', 1],
    ]);
  });
});

test.skipIf(without)('a signal stack of 8 KiB is enough', () => {
  const seen = answers(
    `const file = fileOf(8, 0);
     const m = map(file);
     const readonly = map(fileOf(8, 0), { access: 'read' });
     fs.truncateSync(file, 0);
     answer([addon.smallStack(m.bytes), addon.smallStack(readonly.bytes), m.faults.length, readonly.faults[0].pages]);`,
  );
  expect(seen).toEqual([1, 1, 2, 8]);
});

test.skipIf(without)('a fault is served where the process can have no area more', () => {
  // the page lies in the middle: to replace it takes two more
  const { taken, seen, kinds } = survives(
    `const file = fileOf(64);
     const m = map(file);
     const { bytes } = m;
     fs.truncateSync(file, 0);
     const taken = addon.atLimit(bytes, 32 * P);
     answer({ taken, seen: [bytes[32 * P], bytes[31 * P]], kinds: m.faults.map(({ kind }) => kind) });`,
    'SIGBUS',
    { given },
  ) as { taken: number; seen: number[]; kinds: string[] };
  expect(taken).toBeGreaterThan(1000);
  expect(seen).toEqual([1, 0]);
  expect(kinds).toEqual(['truncated']);
});
