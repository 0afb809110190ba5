// Every way in which a program can name the package.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { ALL, complaint, makeProject, on, printed } from '../harness.mjs';

const PATHS = ['mmap-native', 'mmap-native/ipc', 'mmap-native/compat/mmap-io'];
const LOOK = 'console.log(all.map((one) => typeof (one.mmap ?? one.waitSync ?? one.map)).join())';
const list = (write) => `const all = [${PATHS.map(write).join(', ')}];\n${LOOK};\n`;

const PROGRAMS = {
  import: [
    'main.mjs',
    `${PATHS.map((path, i) => `import * as m${i} from '${path}';\n`).join('')}${list((_, i) => `m${i}`)}`,
  ],
  'import() in CommonJS': ['main.cjs', `(async () => { ${list((path) => `await import('${path}')`)} })();\n`],
  'require()': ['main.cjs', list((path) => `require('${path}')`)],
};

const program = (way) => {
  const [file, text] = PROGRAMS[way];
  const files = { [file]: text, 'package.json': '{"dependencies":{"mmap-native":"*"}}' };
  return join(makeProject(files), file);
};

const loads = (way) => async () => {
  const file = program(way);
  for (const name of ALL) assert.equal(await printed(name, [file]), 'function,function,function', name);
};

export const cases = {
  ...Object.fromEntries(Object.keys(PROGRAMS).map((way) => [way, on(ALL, loads(way))])),
  'require() where it is switched off names import()': on(['Node.js 22'], async () => {
    const said = await complaint('Node.js 22', ['--no-experimental-require-module', program('require()')]);
    assert.match(said, /code: 'ERR_REQUIRE_ESM'/);
    assert.match(said, /dynamic import\(\) which is available in all CommonJS modules/);
    const flag = '--no-experimental-require-module';
    assert.match(await printed('Node.js 22', [flag, program('import() in CommonJS')]), /^function/);
  }),
};
