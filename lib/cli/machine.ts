import { existsSync, statfsSync } from 'node:fs';
import { release } from 'node:os';
import { type Check, check, ok, readText } from './check.js';
import { bytes } from './format.js';

const KERNEL = /^(\d+)\.(\d+)/.exec(release());

/** What only the version can tell, since to try it would need the call itself. */
const kernelHas = (major: number, minor: number): boolean => {
  const [own = 0, part = 0] = (KERNEL ?? []).slice(1).map(Number);
  return own > major || (own === major && part >= minor);
};

const sysctl = (name: string): string | undefined => readText(`/proc/sys/${name.replaceAll('.', '/')}`);

/** 'always [madvise] never' has chosen 'madvise'. */
const chosen = (path: string): string | undefined => /\[(\w+)\]/.exec(readText(path) ?? '')?.[1];

const kernel = (): Check =>
  check('kernel', kernelHas(5, 14), `Linux ${release()}`, 'populate() needs Linux 5.14; the rest works on older ones');

const futex = (): Check =>
  check(
    'futex_waitv',
    kernelHas(5, 16),
    kernelHas(5, 16) ? 'there, by the version of the kernel' : 'not in this kernel',
    'to wait for several words at once needs Linux 5.16; the library waits for them in turn',
  );

const hugePages = (): Check[] => {
  const folder = '/sys/kernel/mm/transparent_hugepage';
  const enabled = chosen(`${folder}/enabled`);
  const shared = chosen(`${folder}/shmem_enabled`);
  const memory = readText('/proc/meminfo') ?? '';
  const pool = Number(/^HugePages_Total:\s+(\d+)/m.exec(memory)?.[1] ?? 0);
  const free = Number(/^HugePages_Free:\s+(\d+)/m.exec(memory)?.[1] ?? 0);
  return [
    check(
      'huge pages',
      enabled === 'madvise' || enabled === 'always',
      enabled ?? 'not in this kernel',
      `hugePages: true has no effect: echo madvise > ${folder}/enabled, as root of the host`,
    ),
    check(
      'huge pages, shared memory',
      shared !== undefined && !['never', 'deny'].includes(shared),
      shared ?? 'not in this kernel',
      `for shared memory: echo advise > ${folder}/shmem_enabled, as root of the host`,
    ),
    check(
      "pool of hugePages: 'hugetlb'",
      free > 0,
      `${free} free of ${pool}`,
      'sysctl vm.nr_hugepages=N, as root of the host, sets pages aside',
    ),
  ];
};

interface Limit {
  readonly text: string;
  readonly value: number;
}

const limitOf = (name: string): Limit => {
  const soft = new RegExp(`^Max ${name}\\s+(\\S+)`, 'm').exec(readText('/proc/self/limits') ?? '')?.[1];
  if (soft === undefined) return { text: 'cannot be read', value: 0 };
  const value = soft === 'unlimited' ? Infinity : Number(soft);
  return { text: value === Infinity ? soft : bytes(value), value };
};

const ENOUGH_LOCKED = 2 ** 20;
const ENOUGH_ADDRESSES = 2 ** 40;

const limits = (): Check[] => {
  const locked = limitOf('locked memory');
  const addresses = limitOf('address space');
  const areas = Number(sysctl('vm.max_map_count') ?? 0);
  const used = (readText('/proc/self/maps') ?? '').split('\n').length;
  return [
    check(
      'memory that may be locked',
      locked.value >= ENOUGH_LOCKED,
      locked.text,
      'lock() of more is ENOMEM: ulimit -l, LimitMEMLOCK= of systemd, --ulimit memlock= of docker',
    ),
    check(
      'address space',
      addresses.value >= ENOUGH_ADDRESSES,
      addresses.text,
      'mappings count in full, touched or not: ulimit -v unlimited',
    ),
    ok('memory areas', `${areas} at most (vm.max_map_count), ${used} in use; a mapping takes one or more`),
  ];
};

const overcommit = (): Check =>
  check(
    'overcommit',
    sysctl('vm.overcommit_memory') !== '2',
    `vm.overcommit_memory=${sysctl('vm.overcommit_memory') ?? 'unknown'}`,
    'every private, writable mapping is counted against the commit limit at once, noReserve: true or not',
  );

/** The memory limit of the nearest group of processes that has one. */
const memoryLimit = (): number => {
  const groups = readText('/proc/self/cgroup') ?? '';
  const v2 = /^0::(.*)$/m.exec(groups)?.[1] ?? '/';
  const v1 = /^\d+:memory:(.*)$/m.exec(groups)?.[1] ?? '/';
  const files = [
    `/sys/fs/cgroup${v2}/memory.max`,
    '/sys/fs/cgroup/memory.max',
    `/sys/fs/cgroup/memory${v1}/memory.limit_in_bytes`,
    '/sys/fs/cgroup/memory/memory.limit_in_bytes',
  ];
  const values = files.map((file) => Number(readText(file))).filter((value) => value > 0 && value < 2 ** 60);
  return Math.min(Infinity, ...values);
};

const SECCOMP = ['off', 'strict', 'filter'];

const container = (): Check[] => {
  const signs = ['/.dockerenv', '/run/.containerenv'].filter((path) => existsSync(path));
  if (process.env['KUBERNETES_SERVICE_HOST'] !== undefined) signs.push('KUBERNETES_SERVICE_HOST');
  const limit = memoryLimit();
  const mode = SECCOMP[Number(/^Seccomp:\s+(\d)$/m.exec(readText('/proc/self/status') ?? '')?.[1] ?? 0)] ?? 'unknown';
  return [
    ok('container', signs.length === 0 ? 'no sign of one' : signs.join(', ')),
    ok(
      'memory of the cgroup',
      limit === Infinity
        ? 'no limit'
        : `${bytes(limit)}; pages of files that are mapped count, too, and are given back first`,
    ),
    check(
      'seccomp',
      mode === 'off',
      mode,
      'a filter may forbid calls: process_vm_readv (copies then go through a pipe), mlock2, madvise. The checks below have tried',
    ),
  ];
};

const PROC = 0x9fa0;

const procfs = (): Check => {
  const mounted = existsSync('/proc/self/maps') && statfsSync('/proc').type === PROC;
  return check(
    '/proc',
    mounted,
    mounted ? 'mounted' : 'not mounted',
    'attach() between processes, mappings() and the limit on areas need it: mount -t proc proc /proc',
  );
};

/** What can be seen without the library. */
export const machineChecks = (): Check[] => [
  kernel(),
  procfs(),
  ...hugePages(),
  ...limits(),
  overcommit(),
  futex(),
  ...container(),
];
