import { Channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { truncateSync } from 'node:fs';
import { afterEach, describe, expect, test, vi } from 'vitest';
import {
  attach,
  type FaultMessage,
  type MapMessage,
  mmap,
  type SyncMessage,
  type UnmapMessage,
} from '../../lib/index.js';
import { runChild } from '../helpers/children.js';
import { PAGE, pagesOf, tempDir } from '../helpers/files.js';

const folder = tempDir();
const ANONYMOUS = { backing: 'anonymous', sharing: 'private', length: PAGE } as const;

const ends: (() => void)[] = [];
afterEach(() => {
  for (const end of ends.splice(0)) end();
});

/** Everything that is published there from now on. */
const messagesOf = <Message>(name: string, also: (message: Message) => void = () => {}): Message[] => {
  const messages: Message[] = [];
  const listener = (message: unknown): void => {
    messages.push(message as Message);
    also(message as Message);
  };
  subscribe(name, listener);
  ends.push(() => unsubscribe(name, listener));
  return messages;
};

const tick = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

test('mmap-native:map has each mapping that is made or attached to, and no resized one again', () => {
  const messages = messagesOf<MapMessage>('mmap-native:map');
  using one = mmap({ backing: 'anonymous', sharing: 'shared', length: PAGE });
  using other = attach(one.handle());
  using third = mmap(ANONYMOUS);
  third.resize(2 * PAGE);
  expect(messages.map(({ mapping }) => mapping)).toEqual([one, other, third]);
  expect(messages[0]?.mapping).toBe(one);
});

test('mmap-native:unmap has each unmapping once, however it came about', async () => {
  const over: boolean[] = [];
  const messages = messagesOf<UnmapMessage>('mmap-native:unmap', ({ mapping }) => {
    over.push(mapping.unmapped);
    if (over.length < 10) mapping.unmapSync(); // does nothing: nobody is told twice
  });
  const mapping = mmap(ANONYMOUS);
  mapping.unmapSync();
  mapping.unmapSync();
  const large = mmap({ ...ANONYMOUS, length: 2 ** 21 });
  await large.unmap();
  {
    using _ = mmap({ ...ANONYMOUS, length: 1 });
  }
  expect(messages.map(({ length }) => length)).toEqual([PAGE, 2 ** 21, 1]);
  expect(messages[0]?.mapping).toBe(mapping);
  expect(over).toEqual([true, true, true]);
});

describe('mmap-native:sync', () => {
  test('has the range, and how long it took', async () => {
    const messages = messagesOf<SyncMessage>('mmap-native:sync');
    using mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: pagesOf(folder, 2) });
    const promise = mapping.sync({ offset: 10, length: 20 });
    expect(messages).toEqual([]);
    await promise;
    mapping.syncSync();
    expect(messages).toEqual([
      { mapping, offset: 10, length: 20, milliseconds: expect.any(Number) as number },
      { mapping, offset: 0, length: 2 * PAGE, milliseconds: expect.any(Number) as number },
    ]);
    expect(messages.every(({ milliseconds }) => milliseconds >= 0)).toBe(true);
  });

  test('has the error of one that failed, which is thrown all the same', async () => {
    const messages = messagesOf<SyncMessage>('mmap-native:sync');
    const file = pagesOf(folder, 2);
    const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
    mapping.on('fault', () => {});
    truncateSync(file, 0);
    mapping.bytes[0] = 1;
    const lost: unknown = expect.objectContaining({ code: 'ERR_LOST_WRITES' });
    await expect(mapping.sync()).rejects.toEqual(lost);
    expect(() => mapping.syncSync()).toThrow(lost);
    expect(messages.map(({ error }) => error)).toEqual([lost, lost]);
    expect(() => mapping.unmapSync()).toThrow(lost);
  });
});

describe('mmap-native:fault', () => {
  test('has the mapping and its faults', async () => {
    const messages = messagesOf<FaultMessage>('mmap-native:fault');
    using mapping = mmap({ backing: 'file', sharing: 'shared', file: pagesOf(folder, 2) });
    mapping.bytes[PAGE] = 1;
    // news of earlier mappings may be late
    const ours = (): FaultMessage[] => messages.filter((message) => message.mapping === mapping);
    await vi.waitFor(() => expect(ours()).toHaveLength(1));
    expect(ours()[0]?.faults).toMatchObject([{ kind: 'read-only', pages: 1, first: PAGE }]);
  });

  test('has no mapping that was made before anybody had subscribed', async () => {
    using mapping = mmap({ backing: 'file', sharing: 'shared', file: pagesOf(folder, 2) });
    const messages = messagesOf<FaultMessage>('mmap-native:fault');
    mapping.bytes[PAGE] = 1;
    const ours = (): FaultMessage[] => messages.filter(({ faults }) => faults[0]?.first === PAGE);
    await vi.waitFor(() => expect(ours()).toHaveLength(1));
    expect(ours()[0]?.mapping).toBeUndefined();
  });

  test('goes on with a mapping that was resized, beside its listeners', async () => {
    const messages = messagesOf<FaultMessage>('mmap-native:fault');
    using mapping = mmap({ backing: 'file', sharing: 'shared', file: pagesOf(folder, 2), length: PAGE });
    const heard: unknown[] = [];
    mapping.on('fault', (faults) => heard.push(faults));
    mapping.resize(2 * PAGE);
    mapping.bytes[PAGE] = 1;
    await vi.waitFor(() => expect(heard).toHaveLength(1));
    expect(messages.filter((message) => message.mapping === mapping).map(({ faults }) => faults)).toEqual(heard);
  });

  test.each([
    ['a subscriber is told, and there is no warning', true],
    ['without one there is', false],
  ])('%s', (_name, subscribes) => {
    const warnings = runChild(
      `const { subscribe } = await import('node:diagnostics_channel');
       if (${subscribes}) subscribe('mmap-native:fault', () => {});
       const warnings = [];
       process.on('warning', ({ code }) => warnings.push(code));
       const mapping = mmap({ backing: 'file', sharing: 'shared', file: given });
       mapping.bytes[0] = 1;
       await new Promise((resolve) => setTimeout(resolve, 200));
       answer(warnings);`,
      { given: pagesOf(folder, 1) },
    );
    expect(warnings).toEqual(subscribes ? [] : ['MMAP_FAULT']);
  });
});

test('without a subscriber nothing is published, and no clock is looked at', async () => {
  const publish = vi.spyOn(Channel.prototype, 'publish');
  const now = vi.spyOn(performance, 'now');
  ends.push(
    () => publish.mockRestore(),
    () => now.mockRestore(),
  );
  const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file: pagesOf(folder, 1) });
  mapping.syncSync();
  const looked = now.mock.calls.length;
  await mapping.sync();
  mapping.unmapSync();
  await tick();
  expect(publish).not.toHaveBeenCalled();
  expect(looked).toBe(0);
});
