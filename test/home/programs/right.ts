// Compiled by every TypeScript from 5.5 on, strictly; what comes out is run.
import { type FaultRecord, type Mapping, allocZeroed, attach, mmap } from 'mmap-native';
import mmapIo from 'mmap-native/compat/mmap-io';
import { Mutex, type WaitResult, waitSync } from 'mmap-native/ipc';

const sum = (mapping: Mapping): number => {
  const floats: Float64Array = mapping.view(Float64Array, 0, 32);
  return floats.reduce((all, one) => all + one, 0);
};

using shared = mmap({ backing: 'anonymous', sharing: 'shared', length: 8192 });
shared.view(Float64Array, 0, 32).fill(0.5);
const joined: Mapping = attach(shared.handle());
new Mutex(joined, 4096).lockSync().unlock();
const faults: readonly FaultRecord[] = joined.faults;
const waited: WaitResult = waitSync(joined.view(Int32Array, 8000, 4), 0, 1);
const text: string = joined.text({ offset: 8, length: 1 }, 'latin1');
const bytes: Buffer = allocZeroed(8);
const page: number = mmapIo.PAGESIZE;
console.log(JSON.stringify([sum(joined), faults.length, waited, text.length, bytes.length, page]));
