// Reads a file through a mapping, over and over, until a page of it is gone: until somebody has cut the file.
import { mmap } from 'mmap-native';
import { answer, task } from './children.mjs';
import { digest } from './bytes.mjs';

const PATIENCE = 20_000;

const { file, kept, onFault } = task();
const mapping = mmap({ backing: 'file', sharing: 'shared', file, onFault });
const bytes = mapping.view(Uint8Array);

/** The first byte whose access is a fault, if there is one. */
const faultIn = () => {
  let sum = 0;
  for (let at = 0; at < bytes.length; at++) {
    sum += bytes[at];
    if (mapping.faultCount > 0) return { at, sum };
  }
  return { sum };
};

/** Reads all of it again and again until there is. */
const readOn = () => {
  const end = performance.now() + PATIENCE;
  for (let rounds = 1; performance.now() < end; rounds++) {
    const { at } = faultIn();
    if (at !== undefined) return { rounds, at };
  }
  return {};
};

faultIn();
process.send({ progress: 'reading' }, () => {
  const { rounds, at } = readOn();
  const { faultCount, faults } = mapping;
  answer({
    pid: process.pid,
    rounds,
    at,
    faultCount,
    faults,
    kept: digest(bytes.subarray(0, kept)),
    restIsZero: bytes.subarray(kept).every((byte) => byte === 0),
  });
});
