import { type Channel, channel } from 'node:diagnostics_channel';
import { inspect, type InspectOptionsStylized } from 'node:util';
import { type Origin } from './handle.js';
import type { Mapping } from './mapping.js';
import { type FaultRecord } from './native.js';
import { type CheckedRange } from './range.js';

/** Published in `mmap-native:map`, by `mmap()` and `attach()`. */
export interface MapMessage {
  /** The new one. */
  readonly mapping: Mapping;
}

/** Published in `mmap-native:unmap`, by whatever calls `unmap()`; not where the garbage collector ends a mapping. */
export interface UnmapMessage {
  /** Ended by now: its `length` is 0. */
  readonly mapping: Mapping;
  /** Bytes that it had. */
  readonly length: number;
}

/** Published in `mmap-native:sync`, when a sync has come to its end. */
export interface SyncMessage {
  /** Whose `sync()` it was. */
  readonly mapping: Mapping;
  /** Where the range begins, in bytes of the mapping. */
  readonly offset: number;
  /** Bytes in the range. */
  readonly length: number;
  /** How long it took. */
  readonly milliseconds: number;
  /** Why it failed. */
  readonly error?: unknown;
}

/** Published in `mmap-native:fault`, soon after the faults. */
export interface FaultMessage {
  /** Undefined where it was made before anybody had subscribed, or is gone. */
  readonly mapping: Mapping | undefined;
  /** As a listener of `on('fault')` gets them. */
  readonly faults: readonly FaultRecord[];
}

/** diagnostics_channel(3): without a subscriber, a look at `hasSubscribers` is all that each of them costs. */
const MAP: Channel = channel('mmap-native:map');
const UNMAP: Channel = channel('mmap-native:unmap');
const SYNC: Channel = channel('mmap-native:sync');
const FAULT: Channel = channel('mmap-native:fault');

export const publishMap = (mapping: Mapping): void => {
  if (MAP.hasSubscribers) MAP.publish({ mapping } satisfies MapMessage);
};

export const publishUnmap = (mapping: Mapping, length: number): void => {
  if (UNMAP.hasSubscribers) UNMAP.publish({ mapping, length } satisfies UnmapMessage);
};

export const faultsArePublished = (): boolean => FAULT.hasSubscribers;

export const publishFaults = (mapping: Mapping | undefined, faults: readonly FaultRecord[]): void => {
  if (FAULT.hasSubscribers) FAULT.publish({ mapping, faults } satisfies FaultMessage);
};

/** What publishes that a sync has ended, if anybody wants to know. */
const syncBegins = (mapping: Mapping, { offset, length }: CheckedRange): ((failed?: { error: unknown }) => void) => {
  const start = performance.now();
  return (failed) => {
    SYNC.publish({ mapping, offset, length, milliseconds: performance.now() - start, ...failed } satisfies SyncMessage);
  };
};

/** Does what `sync()` does, and publishes it. */
export const publishSync = async (mapping: Mapping, range: CheckedRange, sync: () => Promise<void>): Promise<void> => {
  if (!SYNC.hasSubscribers) {
    await sync();
    return;
  }
  const ended = syncBegins(mapping, range);
  try {
    await sync();
  } catch (error) {
    ended({ error });
    throw error;
  }
  ended();
};

/** The blocking form. */
export const publishSyncSync = (mapping: Mapping, range: CheckedRange, sync: () => void): void => {
  if (!SYNC.hasSubscribers) {
    sync();
    return;
  }
  const ended = syncBegins(mapping, range);
  try {
    sync();
  } catch (error) {
    ended({ error });
    throw error;
  }
  ended();
};

/** What util.inspect() shows of a mapping. */
export const inspectMapping = (
  mapping: Mapping,
  { path }: Origin,
  depth: number,
  options: InspectOptionsStylized,
): string => {
  if (depth < 0) return options.stylize('[Mapping]', 'special');
  const { label, backing, sharing, access, offset, length, unmapped, faultCount } = mapping;
  const facts = {
    ...(label === undefined ? {} : { label }),
    backing,
    sharing,
    access,
    ...(path === undefined ? {} : { path: String(path) }),
    ...(backing === 'file' ? { offset } : {}),
    ...(unmapped ? { unmapped } : { length }),
    ...(faultCount === 0 ? {} : { faultCount }),
  };
  return `Mapping ${inspect(facts, options)}`;
};
