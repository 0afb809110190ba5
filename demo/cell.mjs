import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { mappings, mmap } from 'mmap-native';
import { callsFor } from './calls.mjs';

/** A claim is printed only with the outcome of its check. */
export const checked = (text, actual, expected) => {
  try {
    assert.deepEqual(actual, expected);
    return { text, holds: true };
  } catch {
    return { text, holds: false, expected, actual };
  }
};

/** Mappings whose address is kept for late readers are no longer anybody's. */
export const kernelOf = (length) => mappings().find((info) => !info.decommitted && info.length === length);

/** The time that an action takes: the median of many. */
export const median = (action, times = 101) => {
  const took = Array.from({ length: times }, () => {
    const start = performance.now();
    action();
    return performance.now() - start;
  });
  return took.toSorted((a, b) => a - b)[Math.floor(times / 2)];
};

/** One of the four mappings: what was asked, and the evidence of what came of it. */
export class Cell {
  title;
  explanation;
  asked;
  calls;
  callsFrom;
  kernel = [];
  held = [];
  claims = [];
  costs = [];

  constructor(title, explanation) {
    this.title = title;
    this.explanation = explanation;
  }

  /** Maps what `options` says, finds out which system call that was, and what the kernel has now. */
  async map(options) {
    this.asked = `mmap(${inspect(options, { breakLength: Infinity })})`;
    const mapping = mmap(options);
    const info = this.look(mapping, 'as made');
    const { calls, from, differs } = await callsFor(options, info);
    this.calls = calls;
    this.callsFrom = from;
    if (differs !== undefined)
      this.claim('strace and the kernel tell the same of the call', differs.traced, differs.derived);
    return mapping;
  }

  /** The kernel's line and numbers, at this moment. */
  look(mapping, when) {
    const info = kernelOf(mapping.length);
    const { smaps } = info;
    const [line] = smaps.maps;
    const end = Number(info.address) + smaps.size;
    const alone = line.startsWith(`${info.address.slice(2)}-${end.toString(16)} `);
    this.kernel.push({ when, line, alone, ...smaps });
    return info;
  }

  claim(text, actual, expected = true) {
    this.claims.push(checked(text, actual, expected));
  }

  /** What somebody found at the place that was written to. */
  holds(who, what) {
    this.held.push([who, what]);
  }

  cost(what, value, unit) {
    this.costs.push({ what, value, unit });
  }
}
