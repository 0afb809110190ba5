// So many operations of one kind, and nothing else: `counted.mjs KIND OPERATIONS`. instructions.mjs lets callgrind and strace count.
// Status 77: this runtime cannot do it.
import { library } from './library.mjs';

const OPTIONS = { backing: 'anonymous', sharing: 'private', length: 4096 };
const TURN = 5000;

const { mmap, supports } = await library();
const KINDS = {
  none: () => mmap(OPTIONS).unmapSync(),
  sharedBuffer: () => {
    const mapping = mmap(OPTIONS);
    if (mapping.sharedBuffer.byteLength === 0) throw new Error('not mapped');
    mapping.unmapSync();
  },
  buffer: () => {
    const mapping = mmap(OPTIONS);
    if (mapping.buffer.byteLength === 0) throw new Error('not mapped');
    mapping.unmapSync();
  },
};

const [kind, operations] = process.argv.slice(2);
if (kind === 'sharedBuffer' && !supports('sharedBuffer')) process.exit(77);
for (let done = 0; done < Number(operations); done += TURN) {
  for (let i = 0; i < TURN; i++) KINDS[kind]();
  await new Promise((resolve) => setImmediate(resolve));
}
