// Another process: it maps or attaches to what its task names, and reports what it found.
import { truncateSync } from 'node:fs';
import { attach, mappings, mmap } from 'mmap-native';
import { Channel } from 'mmap-native/ipc';
import { hex, invert, readHex } from './bytes.mjs';
import { answer, task } from './children.mjs';

const tasks = {
  /** Makes the mapping, for strace to see. */
  map({ options }) {
    const mapping = mmap(options);
    const [{ address }] = mappings();
    mapping.unmapSync();
    return { address };
  },

  /** What a file holds: through a mapping, and read. */
  look({ file, offset, length }) {
    const mapping = mmap({ backing: 'file', sharing: 'shared', file, offset, length });
    const mapped = hex(mapping.bytes);
    return { pid: process.pid, mapped, read: readHex(file, { offset, length }) };
  },

  /** Changes a file through a shared mapping of its own. */
  invert({ file, offset, length }) {
    const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file, offset, length });
    invert(mapping.bytes);
    return { pid: process.pid };
  },

  /** Gives a file another length. */
  truncate({ file, length }) {
    truncateSync(file, length);
    return { pid: process.pid };
  },

  /** Tries to reach memory that is not meant for it. */
  reach({ handle }) {
    try {
      attach(handle);
      return { code: 'none: it is reachable' };
    } catch (error) {
      return { pid: process.pid, code: error.code };
    }
  },

  /** Joins memory, looks at it, leaves a word there and counts in it. */
  count({ handle, times }) {
    const mapping = attach(handle);
    const counters = mapping.view(Int32Array);
    const found = Atomics.load(counters, 1);
    Atomics.store(counters, 2, process.pid);
    for (let i = 0; i < times; i++) Atomics.add(counters, 0, 1);
    return { pid: process.pid, found };
  },

  /** Answers what comes through a Channel, until that ends. */
  async converse({ handle }) {
    const channel = Channel.attach(handle);
    for await (const value of channel.values()) await channel.send({ pid: process.pid, square: value.number ** 2 });
    channel.close();
    return { pid: process.pid };
  },
};

const given = task();
answer(await tasks[given.do](given));
