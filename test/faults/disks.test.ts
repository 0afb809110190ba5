import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { PAGE, tempDir } from '../helpers/files.js';
import { lacks, noMounts } from '../helpers/skip.js';
import { answerOf, type FaultRecord, mounted, run, survives } from './child.js';

/** Faults that need a file system of their own: mounted in a namespace that goes with the child. */

const folder = tempDir();
const unable = noMounts();

const mounts = (mount: string): boolean => spawnSync('unshare', ['-m', 'sh', '-ec', mount, folder]).status === 0;
const TMPFS = 'mount -t tmpfs -o size=1m tmpfs "$0"';
/** An image beside the folder that it is mounted on: a new one, for the kernel lets go of the last one in its own time. */
const ext4 = (flags: string): string => `
  rm -f "$0.img"
  truncate -s 4m "$0.img"
  mkfs.ext4 -q -F ${flags} "$0.img"
  mount -o loop "$0.img" "$0"`;

interface Seen {
  readonly seen: readonly number[];
  readonly faults: readonly FaultRecord[];
  readonly lost: { readonly code: string; readonly offset: number } | null;
  readonly full: { readonly code: string } | null;
  readonly pages: number;
  readonly same: boolean;
  readonly clean: unknown;
}

/** Writes to every page of a sparse file of 4 MiB, where there is less room; frees some; and writes back. */
const FILL = `
  const file = join(given.folder, 'sparse');
  fs.writeFileSync(file, Buffer.alloc(10 * P, 'a'));
  fs.truncateSync(file, given.pages * P);
  fs.writeFileSync(file + '.ballast', Buffer.alloc(64 * P));
  const m = map(file);
  const { bytes } = m;
  for (let i = 0; i < given.pages; i++) bytes[i * P + 5] = 1 + i % 250;
  let right = 0;
  for (let i = 0; i < given.pages; i++) right += bytes[i * P + 5] === 1 + i % 250 && bytes[i * P + 6] === (i < 10 ? 97 : 0);
  const { faults } = m;
  const lost = await failure(() => m.sync());
  const before = m.verify().lostPages;
  const full = await failure(() => m.refresh({ lostWrites: 'write-back' }));
  const kept = [...Array(given.pages).keys()].every((i) => bytes[i * P + 5] === 1 + i % 250);
  fs.unlinkSync(file + '.ballast');
  const again = await failure(() => m.refresh({ lostWrites: 'write-back' }));
  const clean = again === null ? await failure(() => m.sync()) : again;
  answer({ seen: [right, before, Number(kept)], faults, lost, full, clean, pages: m.verify().lostPages,
    same: Buffer.compare(fs.readFileSync(file), bytes) === 0 });`;

describe.skipIf(unable)('a file system without room', () => {
  test.each([
    ['tmpfs', TMPFS],
    ['ext4', ext4('-O ^has_journal')],
  ])('%s: what was written stays here, is reported, and is written back when there is room', (name, mount) => {
    if (lacks(mounts(mount), `${name} cannot be mounted here`)) return;
    // more than there is room for, but by less than the ballast
    const pages =
      Number(
        answerOf(
          run(
            `
      fs.writeFileSync(join(given.folder, 'ballast'), Buffer.alloc(64 * P));
      const { bfree, bsize } = fs.statfsSync(given.folder);
      answer(Math.floor(bfree * bsize / P));`,
            { given: { folder }, through: mounted(folder, mount) },
          ),
        ),
      ) + 30;
    const {
      seen,
      faults,
      lost,
      full,
      clean,
      same,
      pages: left,
    } = survives(FILL, 'SIGBUS', {
      given: { folder, pages },
      through: mounted(folder, mount),
    }) as Seen;
    const [right, before = 0, kept] = seen;
    expect(right, 'pages with what was written, and with what was around it').toBe(pages);
    expect(faults.map(({ kind }) => kind)).toEqual(['no-space']);
    expect(before).toBeGreaterThanOrEqual(30);
    expect(before).toBe(faults[0]?.pages);
    expect(lost).toEqual({ code: 'ERR_LOST_WRITES', offset: faults[0]?.first });
    expect(full, 'still no room').toMatchObject({ code: 'ENOSPC' });
    expect(kept, 'and nothing is given up for it').toBe(1);
    expect([clean, left, same], 'with room').toEqual([null, 0, true]);
  });

  test('with grow: true a full disk is an error of mmap()', () => {
    const code = answerOf(
      run(
        `const file = join(given.folder, 'sparse');
         fs.writeFileSync(file, '');
         answer([await failure(() => map(file, { length: 400 * P, grow: true })), fs.statSync(file).size]);`,
        { given: { folder }, through: mounted(folder, TMPFS) },
      ),
    );
    expect(code).toEqual([{ code: 'ENOSPC' }, 0]);
  });

  test('a quota that is reached', () => {
    const quota = `mount -t tmpfs -o size=8m,usrquota,usrquota_block_hardlimit=1m tmpfs "$0"; chmod 777 "$0"`;
    if (lacks(mounts(quota), 'no tmpfs with quota in this kernel')) return;
    const { faults, lost } = survives(
      `const file = join(given.folder, 'sparse');
       process.setgroups([]); process.setgid(1000); process.setuid(1000);
       fs.writeFileSync(file, '');
       fs.truncateSync(file, 400 * P);
       const m = map(file);
       for (let i = 0; i < 400; i++) m.bytes[i * P] = 1;
       answer({ faults: m.faults, lost: await failure(() => m.sync()) });`,
      'SIGBUS',
      { given: { folder }, through: mounted(folder, quota) },
    ) as Seen;
    expect(faults.map(({ kind }) => kind)).toEqual(['no-space']);
    expect(lost).toMatchObject({ code: 'ERR_LOST_WRITES' });
  });
});

describe.skipIf(unable)('a device that fails', () => {
  test('pages that cannot be read are zeros of the kind io, those in memory stay', () => {
    const disk = mkdtempSync(join(folder, 'disk-'));
    const mount = ext4('-O ^has_journal');
    if (lacks(spawnSync('unshare', ['-m', 'sh', '-ec', mount, disk]).status === 0, 'no loop device here')) return;
    const { seen, faults } = survives(
      `const { spawnSync } = await import('node:child_process');
       const file = join(given.disk, 'file');
       const hidden = fs.openSync(file, 'w+');
       fs.writeSync(hidden, Buffer.alloc(400 * P, 'a'));
       fs.fsyncSync(hidden);
       const m = map(file);
       spawnSync('dd', ['of=' + file, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none']);
       const first = m.bytes[0];
       fs.truncateSync(given.disk + '.img', 0);
       fs.writeFileSync('/proc/sys/vm/drop_caches', '1');
       const second = m.bytes[300 * P];
       let error;
       try { fs.readSync(hidden, Buffer.alloc(1), 0, 1, 301 * P); } catch ({ code }) { error = code; }
       m.bytes[302 * P] = 7;
       answer({ seen: [first, second, Number(error === 'EIO'), m.bytes[302 * P]], faults: m.faults });`,
      'SIGBUS',
      { given: { folder, disk }, through: mounted(disk, mount) },
    ) as Seen;
    expect(seen).toEqual([97, 0, 1, 7]);
    expect(faults).toEqual([{ kind: 'io', pages: 2, writes: 1, first: 300 * PAGE, latest: 302 * PAGE }]);
  });
});

test('huge pages from a pool that is empty', () => {
  const pool = '/proc/sys/vm/nr_hugepages';
  const before = readFileSync(pool, 'utf8');
  const fill = (count: string): boolean => {
    try {
      writeFileSync(pool, count);
      return readFileSync(pool, 'utf8').trim() === count.trim();
    } catch {
      return false;
    }
  };
  try {
    if (lacks(fill('2'), 'huge pages cannot be reserved here')) return;
    const { seen, faults } = survives(
      `const HUGE = 2 ** 21;
       const m = mmap({ backing: 'anonymous', sharing: 'private', length: 4 * HUGE, hugePages: 'hugetlb', noReserve: true });
       for (let i = 0; i < 4; i++) m.bytes[i * HUGE + 5] = i + 1;
       answer({ seen: [0, 1, 2, 3].map((i) => m.bytes[i * HUGE + 5]), faults: m.faults });`,
      'SIGBUS',
      { given: { folder } },
    ) as Seen;
    expect(seen).toEqual([1, 2, 3, 4]);
    expect(faults).toEqual([{ kind: 'no-space', pages: 2, writes: 2, first: 2 * 2 ** 21, latest: 3 * 2 ** 21 }]);
  } finally {
    fill(before);
  }
});
