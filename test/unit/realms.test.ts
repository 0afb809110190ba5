import { createContext, runInContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { Mapping, mmap } from '../../lib/index.js';
import { Queue, wait } from '../../lib/ipc/index.js';
import { tempDir, tempFile } from '../helpers/files.js';

/** What another realm makes: a vm context, as jest runs tests in. Its classes are not ours. */
const realm = createContext({ EventTarget });
const there = (code: string): never => runInContext(code, realm) as never;

const anonymous = (): Mapping => mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });

describe('arguments of another realm', () => {
  test('are none of ours', () => {
    expect(there('new Uint8Array(1)')).not.toBeInstanceOf(Uint8Array);
  });

  test('a path, as bytes and as a URL', () => {
    const file = tempFile(tempDir(), 'mapped');
    const bytes: Uint8Array = there(`Uint8Array.from(${JSON.stringify([...Buffer.from(file)])})`);
    const url: URL = there(`({ href: 'file://${file}', protocol: 'file:' })`);
    for (const path of [bytes, url])
      expect(mmap({ backing: 'file', sharing: 'private', file: path }).text()).toBe('mapped');
  });

  test('constructors of views', () => {
    const mapping = anonymous();
    const Floats: Float32ArrayConstructor = there('Float32Array');
    expect(mapping.view(Floats, 0, 16)).toBeInstanceOf(Floats);
    const View: DataViewConstructor = there('DataView');
    expect(mapping.view(View, 0, 16).byteLength).toBe(16);
    expect(() => mapping.view(there('Map'))).toThrow(/"Type" argument must be a typed array/);
  });

  test('memory to copy from and into', () => {
    const mapping = anonymous();
    const into: Uint16Array = there('new Uint16Array(2)');
    expect(mapping.write(there('new Uint8Array([1, 2])'))).toBe(2);
    expect(mapping.read(into)).toBe(4);
    expect([...into]).toEqual([0x02_01, 0]);
  });

  test('messages of a queue', () => {
    const queue = Queue.create({ capacity: 4096 });
    const [producer, consumer] = [queue.producer(), queue.consumer()];
    producer.tryWrite(there('new Uint8Array([7])'));
    const into: Uint8Array = there('new Uint8Array(4)');
    consumer.readSync({ into });
    expect([...into]).toEqual([7, 0, 0, 0]);
  });

  test('a word to wait for, and a signal that ends the wait', async () => {
    const Words: Int32ArrayConstructor = there('Int32Array');
    const words = anonymous().view(Words);
    const signal: AbortSignal = there("Object.assign(new EventTarget(), { throwIfAborted() {}, reason: 'enough' })");
    const waiting = wait(words, 0, 0, { signal, timeout: 20_000 });
    signal.dispatchEvent(new Event('abort'));
    await expect(waiting).rejects.toBe('enough');
  });
});
