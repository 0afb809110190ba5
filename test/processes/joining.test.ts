import { execFileSync } from 'node:child_process';
import { readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { tempDir } from '../helpers/files.js';
import { noOtherUser } from '../helpers/skip.js';
import { type MappingHandle, mmap } from '../../lib/index.js';
import { Channel, type ChannelHandle, Queue } from '../../lib/ipc/index.js';
import { Child, program, run, start, type Tools } from './support.js';

const runner = new URL('runner.mjs', import.meta.url);
const root = process.getuid?.() === 0;
const NOBODY = 65534;
if (!root) console.log('joining.test.ts: other users and namespaces are skipped, they need root');

/** Sends back what it gets, until the end; or says what refused it. */
const echo = async ({ ipc, data, report }: Tools<ChannelHandle>): Promise<void> => {
  try {
    const channel = ipc.Channel.attach(data);
    for await (const value of channel.values()) await channel.send(value);
    channel.close();
  } catch (error) {
    report((error as { code: string }).code);
  }
};

const converse = async (channel: Channel): Promise<void> => {
  const value = { map: new Map([[1, 'one']]), bytes: new Uint8Array([1, 2, 3]), when: new Date(0) };
  await channel.send(value);
  expect(await channel.receive({ timeout: 10_000 })).toEqual(value);
  channel.close();
};

describe('a channel is joined', () => {
  test('by a child process', async () => {
    const channel = Channel.create();
    const child = start(echo, channel.handle());
    await converse(channel);
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('by a worker', async () => {
    const channel = Channel.create();
    const worker = new Worker(runner, { argv: [program(echo, channel.handle())] });
    const exit = new Promise((resolve) => worker.once('exit', resolve));
    await converse(channel);
    expect(await exit).toBe(0);
  });

  test('by cluster workers, each with a channel of its own', async () => {
    const end = await run(
      async ({ ipc, data, report }) => {
        const cluster = process.getBuiltinModule('node:cluster') as unknown as import('node:cluster').Cluster;
        cluster.setupPrimary({ exec: data.runner });
        for (let i = 0; i < 2; i++) {
          const channel = ipc.Channel.create();
          cluster.settings.args = [JSON.stringify({ code: data.code, data: channel.handle() })];
          const exit = new Promise((resolve) => cluster.fork().once('exit', resolve));
          await channel.send(i);
          report(await channel.receive());
          channel.close();
          if ((await exit) !== 0) process.exitCode = 1;
        }
      },
      {
        runner: runner.pathname,
        code: `async ({ ipc, data }) => {
        const channel = ipc.Channel.attach(data);
        for await (const value of channel.values()) await channel.send(value);
        channel.close();
        process.disconnect();
      }`,
      },
    );
    expect(end).toMatchObject({ code: 0, stderr: '' });
  });

  test('by a process that is no relative', async () => {
    const channel = Channel.create();
    // setsid and a shell that ends at once: its parent is init
    const script = `setsid "$0" "$1" "$2" & exit 0`;
    const child = new Child('sh', ['-c', script, process.execPath, runner.pathname, program(echo, channel.handle())]);
    await converse(channel);
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('by one at a time on each side', async () => {
    using channel = Channel.create();
    const handle = channel.handle();
    {
      using other = Channel.attach(handle);
      expect([channel.peer, other.peer]).toEqual(['alive', 'alive']);
      expect(() => Channel.attach(handle)).toThrow(expect.objectContaining({ code: 'ERR_PLACE_TAKEN' }));
      // from the other side, the side that is missing is this one
      expect(() => Channel.attach(other.handle())).toThrow(expect.objectContaining({ code: 'ERR_PLACE_TAKEN' }));
    }
    expect(channel.peer).toBe('ended');
    await expect(channel.receive()).rejects.toMatchObject({ code: 'ERR_CLOSED' });
    using next = Channel.attach(handle);
    expect(next.trySend('again')).toBe(true);
    expect(await channel.receive()).toBe('again');
  });

  test('by nobody when its owner is gone, or has closed it', async () => {
    const channel = Channel.create();
    const handle = channel.handle();
    channel.close();
    expect(() => Channel.attach(handle)).toThrow(expect.objectContaining({ code: 'ERR_OWNER_GONE' }));
    const child = start(({ ipc, report }) => report(ipc.Queue.create({ capacity: 10 }).handle()), undefined);
    const theirs = await child.next<ReturnType<Queue['handle']>>();
    await child.ended;
    expect(() => Queue.attach(theirs)).toThrow(expect.objectContaining({ code: 'ERR_OWNER_GONE' }));
  });

  test('by no handle that was tampered with', () => {
    using channel = Channel.create({ capacity: 5000 });
    using queue = Queue.create({ capacity: 5000 });
    using other = mmap({ backing: 'anonymous', sharing: 'shared', length: 2 * (4096 + 8192) });
    const handle = channel.handle();
    const bad: unknown[] = [
      undefined,
      null,
      7,
      {},
      queue.handle(),
      { ...handle, v: 2 },
      { ...handle, ringBytes: 4096 },
      { ...handle, ringBytes: 3 },
      { ...handle, ringBytes: 2 ** 31 },
      { ...handle, side: 2 },
      { ...handle, more: 1 },
      { ...handle, memory: queue.handle().memory },
    ];
    for (const one of bad) expect(() => Channel.attach(one as ChannelHandle)).toThrow(/handle/);
    // memory of the right size, and not a channel
    expect(() => Channel.attach({ ...handle, memory: other.handle() })).toThrow(
      expect.objectContaining({ code: 'ERR_CORRUPT' }),
    );
    const many = { ...queue.handle(), producers: 'many' as const };
    expect(() => Queue.attach(many)).toThrow(expect.objectContaining({ code: 'ERR_CORRUPT' }));
  });
});

describe.skipIf(noOtherUser())('a child of another user', () => {
  test('is refused, and joins through a descriptor that it inherits', async () => {
    const channel = Channel.create();
    const handle = channel.handle();
    const refused = start(echo, handle, { uid: NOBODY });
    expect(await refused.next()).toBe('ERR_ATTACH_DENIED');
    const fd = (handle.memory as { fd: number }).fd;
    const child = start(echo, channel.handle({ inheritedFd: 3 }), { uid: NOBODY, fds: [fd] });
    await converse(channel);
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('is told when something else is at the descriptor', async () => {
    using channel = Channel.create();
    const child = start(echo, channel.handle({ inheritedFd: 3 }), { uid: NOBODY, fds: [1] });
    expect(await child.next()).toBe('ERR_STALE_HANDLE');
  });

  test('of an owner that gave up being root is refused too', async () => {
    const owner = start(async ({ ipc, report }) => {
      const channel = ipc.Channel.create();
      process.setgid?.(65534);
      process.setuid?.(65534);
      report(channel.handle());
      await channel.receive();
    }, undefined);
    const child = start(echo, await owner.next<ChannelHandle>(), { uid: NOBODY });
    expect(await child.next()).toBe('ERR_ATTACH_DENIED');
  });
});

describe.runIf(root)('a process of another pid namespace', () => {
  test('is refused, and joins through a descriptor that it inherits', async () => {
    const inside = (handle: ChannelHandle): string[] => [
      '--pid',
      '--fork',
      '--mount-proc',
      process.execPath,
      runner.pathname,
      program(echo, handle),
    ];
    execFileSync('unshare', ['--pid', '--fork', '--mount-proc', 'true']);
    const channel = Channel.create();
    const handle = channel.handle();
    const refused = new Child('unshare', inside(handle));
    expect(['ERR_OWNER_GONE', 'ERR_STALE_HANDLE']).toContain(await refused.next());
    const fd = (handle.memory as { fd: number }).fd;
    expect(readlinkSync(`/proc/self/fd/${fd}`)).toContain(handle.memory.name);
    const child = new Child('unshare', inside(channel.handle({ inheritedFd: 3 })), { fds: [fd] });
    await converse(channel);
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });
});

describe.runIf(root)('a process of another mount namespace', () => {
  const folder = tempDir();

  test('joins memory as anybody does', async () => {
    const channel = Channel.create();
    const child = new Child('unshare', ['--mount', process.execPath, runner.pathname, program(echo, channel.handle())]);
    await converse(channel);
    expect(await child.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('joins a file where it sees the same one, and is refused where another is mounted over it', async () => {
    const file = join(folder, 'data');
    writeFileSync(file, Buffer.alloc(4096, 'a'));
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    const look = async ({ mm, data, report }: Tools<MappingHandle>): Promise<void> => {
      try {
        report(mm.attach(data).text({ length: 1 }));
      } catch (error) {
        report((error as { code: string }).code);
      }
    };
    const inside = (mount: string): string[] => {
      const told = program(look, mapping.handle());
      return ['--mount', 'sh', '-ec', `${mount}\nexec "$@"`, folder, process.execPath, runner.pathname, told];
    };
    expect(await new Child('unshare', inside(':')).next()).toBe('a');
    const hidden = `mount -t tmpfs none "$0"\nhead -c 4096 /dev/zero > "$0/data"`;
    expect(await new Child('unshare', inside(hidden)).next()).toBe('ERR_STALE_HANDLE');
    expect(await new Child('unshare', inside('mount -t tmpfs none "$0"')).next()).toBe('ENOENT');
  });
});
