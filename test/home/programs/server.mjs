// What a server does with the package: maps, looks, talks. Prints where the binary came from.
import { readFileSync } from 'node:fs';
import { allocZeroed, mmap } from 'mmap-native';
import { notify } from 'mmap-native/ipc';
import mmapIo from 'mmap-native/compat/mmap-io';

const binary = () => /\S+mmap.native\.node$/m.exec(readFileSync('/proc/self/maps', 'utf8'))?.[0];

const mapping = mmap({ backing: 'anonymous', sharing: 'shared', length: 4096 });
const words = mapping.view(Int32Array);
words[0] = 41 + mmapIo.MAP_SHARED;
const [answer] = words;
const woken = notify(words, 0);
console.log(JSON.stringify({ answer, woken, zeroed: allocZeroed(3).length, binary: binary() }));
mapping.unmapSync();
