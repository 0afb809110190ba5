// The other process of a test: runs the function that it is given (test/processes/support.ts).
import { writeSync } from 'node:fs';
import * as ipc from 'mmap-native/ipc';
import { native } from '../../dist/native.js';
import * as mm from 'mmap-native';

const { code, data } = JSON.parse(process.argv[2]);
const report = (value) => writeSync(1, `${JSON.stringify(value)}\n`);
// oxlint-disable-next-line no-new-func, typescript/no-implied-eval -- that is its purpose
const body = new Function(`return (${code})`)();
const late = () => native.ipc.foundLate();
await body({ ipc, mm, data, report, late });
