import { truncateSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { type MmapOptions } from '../../lib/index.js';
import { PAGE, tempDir, tempFile } from '../helpers/files.js';
import { noStrace } from '../helpers/skip.js';
import { strace } from '../helpers/strace.js';

const folder = tempDir();
const file = tempFile(folder);
truncateSync(file, 2 ** 33); // all of it a hole

/** No other mapping of the process has such a length, and each form has its own. */
const bytes = (i: number): number => (701 + i) * PAGE;

type Form = [options: MmapOptions, prot: string, flags: string, offset: string, open?: string];
const FILE = { backing: 'file', sharing: 'private', file } as const;
const ANONYMOUS = { backing: 'anonymous', sharing: 'private' } as const;
const [READ, BOTH] = ['PROT_READ', 'PROT_READ|PROT_WRITE'];

const FORMS: Form[] = [
  [{ ...FILE, length: bytes(0) }, READ, 'MAP_PRIVATE', '0', 'O_RDONLY'],
  [{ ...FILE, access: 'readwrite', length: bytes(1) }, BOTH, 'MAP_PRIVATE', '0', 'O_RDONLY'],
  [{ ...FILE, sharing: 'shared', length: bytes(2) }, READ, 'MAP_SHARED', '0', 'O_RDONLY'],
  [{ ...FILE, sharing: 'shared', access: 'readwrite', length: bytes(3) }, BOTH, 'MAP_SHARED', '0', 'O_RDWR'],
  [{ ...FILE, offset: 5000, length: bytes(4) - 5000 + PAGE }, READ, 'MAP_PRIVATE', '0x1000', 'O_RDONLY'],
  [{ ...FILE, offset: 2 ** 32 + 1, length: bytes(5) - 1 }, READ, 'MAP_PRIVATE', '0x100000000', 'O_RDONLY'],
  [{ ...FILE, populate: true, length: bytes(6) }, READ, 'MAP_PRIVATE|MAP_POPULATE', '0', 'O_RDONLY'],
  [{ ...FILE, noReserve: true, length: bytes(7) }, READ, 'MAP_PRIVATE|MAP_NORESERVE', '0', 'O_RDONLY'],
  [{ ...ANONYMOUS, length: bytes(8) }, BOTH, 'MAP_PRIVATE|MAP_ANONYMOUS', '0'],
  [{ ...ANONYMOUS, access: 'read', length: bytes(9) - 1 }, READ, 'MAP_PRIVATE|MAP_ANONYMOUS', '0'],
  [{ ...ANONYMOUS, noReserve: true, length: bytes(10) }, BOTH, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_NORESERVE', '0'],
  [{ ...ANONYMOUS, populate: true, length: bytes(11) }, BOTH, 'MAP_PRIVATE|MAP_ANONYMOUS|MAP_POPULATE', '0'],
  [{ ...ANONYMOUS, sharing: 'shared', joinable: false, length: bytes(12) }, BOTH, 'MAP_SHARED|MAP_ANONYMOUS', '0'],
  [{ ...ANONYMOUS, sharing: 'shared', length: bytes(13) }, BOTH, 'MAP_SHARED', '0'],
  [{ ...ANONYMOUS, hugePages: true, advice: 'dontdump', length: bytes(14) }, BOTH, 'MAP_PRIVATE|MAP_ANONYMOUS', '0'],
];

describe.skipIf(noStrace())('one call of mmap() is one call of mmap(2)', () => {
  let calls: string[] = [];
  beforeAll(() => {
    calls = strace(
      `for (const options of given) {
         fs.existsSync('/next');
         mmap(options).unmapSync();
       }`,
      'mmap,munmap,mremap,openat,close,memfd_create,ftruncate,fallocate,fchmod,fcntl,madvise,access,faccessat',
      { given: FORMS.map(([options]) => options) },
    );
  });

  /** What was called for one form: between two looks at /next. */
  const during = (i: number): string[] => {
    const marks = calls.flatMap((call, at) => (call.includes('"/next"') ? [at] : []));
    return calls.slice((marks[i] ?? 0) + 1, marks[i + 1]);
  };

  test.each(FORMS.map((form, i) => [JSON.stringify(form[0]), i, form] as const))(
    '%s',
    (_name, i, [options, prot, flags, offset, open]) => {
      const ours = during(i);
      const maps = ours.filter((call) => call.startsWith('mmap(') && call.includes(`, ${bytes(i)}, `));
      const fd = flags.includes('ANONYMOUS') ? '-1' : String.raw`\d+`;
      const line = `mmap(NULL, ${bytes(i)}, ${prot}, ${flags}, FD, ${offset}) = ADDRESS`;
      expect(maps).toEqual([expect.stringMatching(asPattern(line).replace('FD', fd))]);
      const unmaps = ours.filter((call) => call.startsWith('munmap(') && call.includes(`, ${bytes(i)})`));
      expect(unmaps).toEqual([expect.stringMatching(/ = 0$/)]);

      const opened = ours.filter((call) => call.includes(`"${file}"`));
      expect(opened).toHaveLength(options.backing === 'file' ? 1 : 0);
      const flagged = new RegExp(`${open}\\|O_NOCTTY\\|O_NONBLOCK\\|O_CLOEXEC\\) = \\d+$`);
      expect(opened.every((call) => flagged.test(call))).toBe(true);
      expect(ours.filter((call) => call.startsWith('mremap(') || call.startsWith('fallocate('))).toEqual([]);
    },
  );

  test('a path is opened, mapped, and its descriptor closed', () => {
    const ours = during(0);
    const fd = / = (\d+)$/.exec(ours.find((call) => call.includes(file)) ?? '')?.[1] ?? '';
    expect(ours.some((call) => call.startsWith(`mmap(NULL, ${bytes(0)}`) && call.includes(`, ${fd}, 0)`))).toBe(true);
    expect(ours.filter((call) => call.startsWith(`close(${fd})`))).toHaveLength(1);
  });

  test('shared memory is a memfd of its length, for its owner only, and sealed', () => {
    const made = during(13).filter((call) => /^(memfd_create|ftruncate|fchmod|fcntl)\(/.test(call));
    expect(made[0]).toMatch(
      /^memfd_create\("[\da-f]{32}", MFD_CLOEXEC\|MFD_ALLOW_SEALING\|(MFD_NOEXEC_SEAL|0x8)\) = \d+$/,
    );
    expect(made[1]).toMatch(new RegExp(`^ftruncate\\(\\d+, ${bytes(13)}\\) = 0$`));
    expect(made[2]).toMatch(/^fchmod\(\d+, 0600\) = 0$/);
    expect(made.filter((call) => call.includes('F_ADD_SEALS'))).toEqual([
      expect.stringMatching(/F_ADD_SEALS, F_SEAL_SEAL\|F_SEAL_SHRINK\|F_SEAL_GROW\) = 0$/),
    ]);
  });

  test('hugePages and advice are a madvise(2) each, over the whole mapping', () => {
    expect(during(14).filter((call) => call.includes(`, ${bytes(14)}, MADV_`))).toEqual([
      expect.stringMatching(/MADV_HUGEPAGE\) = 0$/),
      expect.stringMatching(/MADV_DONTDUMP\) = 0$/),
    ]);
  });
});

test.skipIf(noStrace())('what is refused by its options makes no system call at all', () => {
  const length = 800 * PAGE;
  const calls = strace(
    `for (const options of given) {
       let refused = false;
       try { mmap(options); } catch { refused = true; }
       if (!refused) throw new Error('accepted: ' + JSON.stringify(options));
     }
     const mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 900 * 4096 });
     for (const body of [
       () => mapping.syncSync({ length: 901 * 4096 }),
       () => mapping.advise('random', { offset: -1 }),
       () => mapping.advise('dontneed'),
       () => mapping.protect('exec'),
       () => mapping.lockSync({ offset: 0.5 }),
       () => mapping.populateSync({ lenght: 1 }),
       () => mapping.residencySync({ offset: 901 * 4096 }),
       () => mapping.resize(-1),
       () => mapping.read(Buffer.alloc(1), { offset: 901 * 4096 }),
       () => mapping.write(Buffer.alloc(901 * 4096)),
     ]) {
       let refused = false;
       try { body(); } catch { refused = true; }
       if (!refused) throw new Error('accepted: ' + body);
     }`,
    'mmap,openat,memfd_create,msync,madvise,mprotect,mlock2,mincore,mremap,process_vm_readv,process_vm_writev',
    {
      given: [
        { ...FILE, length, offset: -1 },
        { ...FILE, length, offset: 2 ** 53 - 1 },
        { ...FILE, length, advice: 'dontneed' },
        { ...FILE, length, grow: true },
        { ...FILE, length, ofset: 1 },
        { ...ANONYMOUS, length, joinable: true },
        { ...ANONYMOUS, length, hugePages: 'huge' },
      ],
    },
  );
  expect(calls.filter((call) => call.includes(file) || call.includes(`${length}`))).toEqual([]);
  const ours = calls.filter(
    (call) => /^(msync|mlock2|mincore|mremap|process_vm|memfd)/.test(call) || call.includes(`${900 * PAGE}`),
  );
  expect(ours).toEqual([expect.stringMatching(/^mmap\(NULL, 3686400, PROT_READ\|PROT_WRITE, MAP_PRIVATE/)]);
});

test.skipIf(noStrace())('resize() of memory that no view has seen is one mremap(2)', () => {
  const calls = strace(
    `const mapping = mmap({ backing: 'anonymous', sharing: 'private', length: 777 * 4096 });
     mapping.resize(888 * 4096);
     mapping.unmapSync()`,
    'mmap,mremap,munmap',
  );
  const ours = calls.filter((call) => call.includes(`${777 * PAGE}`) || call.includes(`${888 * PAGE}`));
  expect(ours).toEqual([
    expect.stringMatching(/^mmap\(NULL, 3182592, /),
    expect.stringMatching(/^mremap\(0x[\da-f]+, 3182592, 3637248, MREMAP_MAYMOVE\) = ADDRESS$/),
    expect.stringMatching(/^munmap\(0x[\da-f]+, 3637248\) = 0$/),
  ]);
});

test.skipIf(noStrace())('grow allocates before it lengthens, and never cuts: no ftruncate(2)', () => {
  const empty = tempFile(folder);
  const calls = strace(
    `mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: given, offset: 100, length: 9000, grow: true }).unmapSync()`,
    'fallocate,ftruncate,truncate',
    { given: empty },
  );
  expect(calls).toEqual([
    expect.stringMatching(/^fallocate\(\d+, FALLOC_FL_KEEP_SIZE, 100, 9000\) = 0$/),
    expect.stringMatching(/^fallocate\(\d+, 0, 100, 9000\) = 0$/),
  ]);
});

const asPattern = (line: string): string => `^${line.replaceAll(/[()|]/g, String.raw`\$&`)}$`;
