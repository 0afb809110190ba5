import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../helpers/files.js';
import { noCompiler, noMounts } from '../helpers/skip.js';
import { answerOf, compile, mounted, run } from './child.js';

/**
 * Eight threads, and another process that does its worst to the file. FAULTS_SOAK=N takes N times as long, by
 how often the hostile process has its way.
 */

const folder = tempDir();
const without = noCompiler();
const compiled = without ? { addon: '', hostile: '' } : compile(folder);
const disk = join(folder, 'disk');
mkdirSync(disk);
const SOAK = Number(process.env['FAULTS_SOAK'] ?? 1);
const given = { folder, ...compiled, soak: SOAK, pages: 400 };

/** Thread `lane` writes value(lane, page, round) at word lane * 8 of each page: native/addon.c. */
const COMMON = `
  import { spawn } from 'node:child_process';
  import { once } from 'node:events';
  const { pages } = given;
  const THREADS = 8;
  const value = (lane, page, round) => BigInt(lane + 1) << 56n | BigInt(page) << 24n | BigInt(round);
  const hostile = async (what, file, amount, seed) => {
    const child = spawn(given.hostile, [what, file, pages, amount, seed], { stdio: ['ignore', 'pipe', 'inherit'] });
    const ended = once(child, 'exit');
    await once(child.stdout, 'data');
    return { child, ended };
  };
  /** All of a file that may be cut at the moment. */
  const whole = (more) => {
    for (;;) {
      try { return map(given.file, { length: pages * P, ...more }); }
      catch (error) { if (error.code !== 'ERR_OUT_OF_RANGE') throw error; }
    }
  };
  const totals = {};
  const count = (m) => { for (const { kind, pages } of m.faults) totals[kind] = (totals[kind] ?? 0) + pages; };
  /** How many stores are neither in the file nor in a page that was reported lost. */
  const missing = async (m, file, round) => {
    const { lostPages } = m.verify();
    const { lostWrites } = await m.refresh({ lostWrites: 'return' });
    const lost = new Map(lostWrites.map(({ offset, bytes }) => [offset / P, bytes]));
    const content = fs.readFileSync(file);
    let wrong = lostPages === lost.size ? 0 : 1;
    for (let page = 0; page < pages; page++) for (let lane = 0; lane < THREADS; lane++) {
      const at = lost.get(page)?.readBigUInt64LE(lane * 64) ?? content.readBigUInt64LE(page * P + lane * 64);
      if (at !== value(lane, page, round)) wrong++;
    }
    return wrong;
  };
`;
const answers = (
  script: string,
  options: { readonly pages?: number; readonly at?: string; readonly through?: readonly string[] } = {},
): unknown => {
  const { pages = 400, through = [], at = folder } = options;
  return answerOf(run(`${COMMON}${script}`, { given: { ...given, pages, folder: at }, through, limit: 25_000 * SOAK }));
};
const LIMIT = 60_000 * SOAK;

describe.skipIf(without)('no store is lost in silence', () => {
  test('while the file grows under the writers', { timeout: LIMIT }, () => {
    const { wrong, kinds } = answers(
      `const file = fileOf(pages);
       let wrong = 0;
       for (let round = 1; round <= 60 * given.soak; round++) {
         fs.truncateSync(file, 0);
         fs.truncateSync(file, pages * P);
         const m = map(file);
         const { bytes } = m;
         fs.truncateSync(file, 0);
         const { ended } = await hostile('grow', file, 0, round);
         addon.start('write', bytes, THREADS, round, round * 977);
         addon.join();
         await ended;
         count(m);
         wrong += await missing(m, file, round);
         m.unmapSync();
       }
       answer({ wrong, kinds: Object.keys(totals) });`,
    ) as { wrong: number; kinds: string[] };
    expect(wrong).toBe(0);
    expect(kinds).toContain('truncated');
  });

  test.skipIf(noMounts()).each([
    ['tmpfs', 'mount -t tmpfs -o size=2m tmpfs "$0"', 800],
    ['ext4', 'rm -f "$0.img"; truncate -s 8m "$0.img"; mkfs.ext4 -q -F "$0.img"; mount -o loop "$0.img" "$0"', 1200],
  ] as const)('while the room on the disk comes and goes: %s', { timeout: LIMIT }, (_name, mount, pages) => {
    const { wrong, kinds } = answers(
      `const file = fileOf(0);
       const { ended } = await hostile('fill', file, 4 * given.soak, 7);
       let running = true;
       ended.then(() => { running = false; });
       let wrong = 0;
       for (let round = 1; running; round++) {
         fs.truncateSync(file, 0);
         fs.truncateSync(file, pages * P);
         const m = map(file);
         addon.start('write', m.bytes, THREADS, round, round * 977);
         addon.join();
         count(m);
         wrong += await missing(m, file, round);
         m.unmapSync();
         await turn(0);
       }
       answer({ wrong, kinds: Object.keys(totals) });`,
      { pages, at: disk, through: mounted(disk, mount) },
    ) as { wrong: number; kinds: string[] };
    expect(wrong).toBe(0);
    expect(kinds).toContain('no-space');
  });
});

describe.skipIf(without)('a file that is cut and made whole again, 10,000 times', () => {
  test(
    'no death, no foreign bytes, every lost page accounted for, with collections and unmaps in between',
    { timeout: LIMIT },
    () => {
      const { wrong, rounds, kinds } = answers(
        `const file = given.file = fileOf(pages, 0);
       const { ended } = await hostile('cut', file, 10000 * given.soak, 3);
       let running = true;
       ended.then(() => { running = false; });
       let m = whole();
       let [wrong, rounds] = [0, 0];
       const ways = ['discard', 'write-back', 'return'];
       while (running) {
         addon.start('wander', m.bytes, THREADS, 5000, rounds);
         const others = Array.from({ length: 20 }, () => whole({ access: 'read' }).view(Uint8Array)[P + 4000]);
         wrong += others.some((byte) => byte !== 0) ? 1 : 0;
         wrong += addon.join();
         rounds++;
         if (rounds % 4 === 0) await m.refresh({ lostWrites: ways[rounds / 4 % 3] });
         if (rounds % 16 === 0) {
           count(m);
           m.unmap().catch(() => {});
           m = whole();
           gc();
         }
         await turn(0);
       }
       await ended;
       count(m);
       const { lostPages } = m.verify();
       const { lostWrites } = await m.refresh({ lostWrites: 'return' });
       if (lostPages !== lostWrites.length) wrong++;
       if (Buffer.compare(fs.readFileSync(file), m.bytes) !== 0) wrong++;
       answer({ wrong, rounds, kinds: Object.keys(totals) });`,
      ) as { wrong: number; rounds: number; kinds: string[] };
      expect(wrong).toBe(0);
      expect(rounds).toBeGreaterThan(10);
      expect(kinds).toContain('truncated');
      expect(kinds, 'the device is well').not.toContain('io');
    },
  );

  test('writes into a mapping that is only read', { timeout: LIMIT }, () => {
    const wrong = answers(
      `const file = given.file = fileOf(pages, 0);
       const { ended } = await hostile('cut', file, 5000 * given.soak, 5);
       let running = true;
       ended.then(() => { running = false; });
       let wrong = 0;
       for (let round = 0; running; round++) {
         const m = whole({ access: 'read', sharing: round % 2 ? 'private' : 'shared' });
         addon.start('wander', m.bytes, THREADS, 3000, round);
         wrong += addon.join();
         m.unmapSync();
         await turn(0);
       }
       const content = fs.readFileSync(file);
       answer([wrong, content.length, content.every((byte) => byte === 0)]);`,
    );
    expect(wrong).toEqual([0, 400 * 4096, true]);
  });
});
