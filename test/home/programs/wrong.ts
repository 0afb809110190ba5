// No TypeScript takes any of these: one error for each line with a number.
import { mmap } from 'mmap-native';
import { Mutex } from 'mmap-native/ipc';

mmap({ backing: 'file', file: 'x' }); // 1: no sharing
mmap({ backing: 'anonymous', sharing: 'private' }); // 2: no length
mmap({ backing: 'file', sharing: 'shared', file: 'x', acces: 'read' }); // 3: misspelt
const mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: 1 });
const words: Int32Array = mapping.view(Float32Array); // 4: another type
mapping.advise('will-need'); // 5: no advice
mapping.length = 3; // 6: read-only
export const mutex = new Mutex(words, 0); // 7: not a mapping
