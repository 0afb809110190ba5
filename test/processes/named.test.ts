import { statSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import { noOtherUser } from '../helpers/skip.js';
import { attach, mmap, unlink, type Mapping } from '../../lib/index.js';
import { run, start } from './support.js';

const coded = (code: string): unknown => expect.objectContaining({ code });
let count = 0;
const fresh = (): string => {
  const name = `/mmap-native-test-${process.pid}-${count++}`;
  onTestFinished(() => {
    try {
      unlink(name);
    } catch {
      // the test has done it
    }
  });
  return name;
};
const open = (name: string, options: { exclusive?: boolean; length?: number; access?: 'read' } = {}): Mapping =>
  mmap({ backing: 'anonymous', sharing: 'shared', length: 8192, ...options, name });

describe('memory with a name', () => {
  test('is made with mode 0600 and its memory set aside, and found by another process', async () => {
    const name = fresh();
    using memory = open(name);
    expect(memory.backing).toBe('anonymous');
    const { mode, size, blocks } = statSync(`/dev/shm${name}`);
    expect([mode & 0o777, size, blocks * 512]).toEqual([0o600, 8192, 8192]);
    const end = await run(({ mm, data }) => {
      const theirs = mm.mmap({ backing: 'anonymous', sharing: 'shared', length: 8192, name: data });
      theirs.bytes[5] = 7;
    }, name);
    expect(end).toMatchObject({ code: 0 });
    expect(memory.bytes[5]).toBe(7);
  });

  test('stays when its maker is killed, until its name is taken away', async () => {
    const name = fresh();
    const child = start(({ mm, data, report }) => {
      mm.mmap({ backing: 'anonymous', sharing: 'shared', length: 8192, name: data }).bytes[0] = 9;
      report('made');
      setInterval(() => undefined, 1000);
    }, name);
    await child.next();
    await child.kill();
    using memory = open(name);
    expect(memory.bytes[0]).toBe(9);
    unlink(name);
    expect(() => unlink(name)).toThrow(coded('ENOENT'));
    // those who have it keep it, and the name is free
    expect(memory.bytes[0]).toBe(9);
    using other = open(name, { exclusive: true });
    expect(other.bytes[0]).toBe(0);
    expect(() => open(name, { exclusive: true })).toThrow(coded('EEXIST'));
  });

  test('is made by one of many who ask at once, and complete for all', async () => {
    const name = fresh();
    const children = Array.from({ length: 4 }, () =>
      start(({ ipc, mm, data, report }) => {
        const theirs = mm.mmap({ backing: 'anonymous', sharing: 'shared', length: 8192, name: data });
        const mutex = new ipc.Mutex(theirs, 8);
        for (let i = 0; i < 1000; i++) {
          const guard = mutex.lockSync();
          theirs.view(Int32Array)[0]! += 1;
          guard.unlock();
        }
        report('done');
      }, name),
    );
    for (const child of children) expect(await child.next()).toBe('done');
    expect(open(name).view(Int32Array)[0]).toBe(4000);
  });

  test('is joined by a handle too, which is that of its file', async () => {
    const name = fresh();
    using memory = open(name);
    const handle = memory.handle();
    expect(handle).toMatchObject({ kind: 'file', path: `/dev/shm${name}` });
    const end = await run(({ mm, data }) => {
      mm.attach(data).bytes[1] = 3;
    }, handle);
    expect(end).toMatchObject({ code: 0 });
    expect(memory.bytes[1]).toBe(3);
    using joined = attach(handle);
    expect(joined.bytes[1]).toBe(3);
  });

  test('can be mapped read-only, and not longer than it is', () => {
    const name = fresh();
    using memory = open(name);
    memory.bytes[0] = 1;
    using reading = open(name, { access: 'read' });
    expect([reading.access, reading.bytes[0]]).toEqual(['read', 1]);
    expect(() => open(name, { length: 8193 })).toThrow(coded('ERR_OUT_OF_RANGE'));
  });

  test('wants a good name, and memory that is shared', () => {
    for (const name of ['x', '/', '/a/b', '/..', '/.', '', `/${'a'.repeat(256)}`, '/\0'])
      expect(() => open(name)).toThrow(coded('ERR_INVALID_ARG_VALUE'));
    expect(() => open(7 as never)).toThrow(coded('ERR_INVALID_ARG_TYPE'));
    const wrong = { backing: 'anonymous', sharing: 'private', length: 1, name: '/x' } as const;
    expect(() => mmap(wrong)).toThrow(coded('ERR_INVALID_ARG_VALUE'));
    expect(() => mmap({ ...wrong, sharing: 'shared', joinable: true })).toThrow(coded('ERR_INVALID_ARG_VALUE'));
    expect(() => mmap({ ...wrong, sharing: 'shared', peers: 'readonly' })).toThrow(coded('ERR_INVALID_ARG_VALUE'));
    expect(() => mmap({ backing: 'anonymous', sharing: 'shared', length: 1, exclusive: true })).toThrow(
      coded('ERR_INVALID_ARG_VALUE'),
    );
    expect(() => unlink('x')).toThrow(coded('ERR_INVALID_ARG_VALUE'));
  });

  test.skipIf(noOtherUser())('is not taken from a stranger', async () => {
    const name = fresh();
    const stranger = start(
      ({ mm, data, report }) => {
        process.umask(0);
        mm.mmap({ backing: 'anonymous', sharing: 'shared', length: 8192, name: data });
        report('made');
        setInterval(() => undefined, 1000);
      },
      name,
      { uid: 65534 },
    );
    await stranger.next();
    expect(() => open(name)).toThrow(coded('EACCES'));
  });
});
