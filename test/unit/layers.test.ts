import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';

const script = fileURLToPath(new URL('../../scripts/layers.mjs', import.meta.url));
let root = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'layers-'));
});
afterEach(() => {
  rmSync(root, { recursive: true });
});

/** A tree in which everything keeps to its layer. */
const TREE = {
  'src/addon.cc': '#include <napi.h>\n#include "binding/buffers.h"\n#include "core/region.h"\n',
  'src/runtime.cc': '#include <new>\n',
  'src/binding/buffers.cc': '#include "binding/buffers.h"\nnapi_create_external_arraybuffer(env);\n',
  'src/binding/buffers.h': '#include <napi.h>\n#include "core/region.h"\n',
  'src/core/region.h': '#include <cstdint>\n#include "core/range.h"\n',
  'src/core/range.h': '// napi.h is not for core\n',
  'lib/index.ts': "/** Public. */\nexport { mmap } from './mmap.js';\nexport type * from './errors.js';\n",
  'lib/mmap.ts': "import { Mapping } from './mapping.js';\nimport { native } from './native.js';\n",
  'lib/mapping.ts': "import type { mmap } from './mmap.js';\nimport {\n  describe,\n} from './errors.js';\n",
  'lib/errors.ts': "/** import { native } from './native.js'; */\nimport { inspect } from 'node:util';\n",
  'lib/range.ts': "import { describe } from './errors.js';\n",
  'lib/native.ts': "import { describe } from './errors.js';\n",
  'lib/binary.ts': "dlopen('mmap-native.node');\n",
  'lib/ipc/queue.ts': "import { mmap } from '../mmap.js';\n",
};

const check = (changes: Record<string, string> = {}): string[] => {
  for (const [file, text] of Object.entries({ ...TREE, ...changes })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), text);
  }
  const { status, stderr } = spawnSync(process.execPath, [script, root], { encoding: 'utf8' });
  const problems = stderr.split('\n').filter((line) => line !== '');
  expect(status).toBe(problems.length === 0 ? 0 : 1);
  return problems;
};

test('a tree that keeps to its layers passes', () => {
  expect(check()).toEqual([]);
});

test.each([
  ['core/range.h reaches Node-API', 'src/core/range.h', '\n#include <napi.h>\n', 'src/core/range.h:2: core may not'],
  ['core reaches binding', 'src/core/range.h', '#include "binding/buffers.h"\n', 'src/core/range.h:1: core may not'],
  ['runtime.cc reaches core', 'src/runtime.cc', '#include "core/range.h"\n', 'src/runtime.cc:1: runtime may not'],
  ['a folder without a layer', 'src/other/a.cc', '\n', 'src/other/a.cc:1: belongs to no layer'],
  [
    'an external buffer made elsewhere',
    'src/addon.cc',
    '\n\nnode_api_create_external_sharedarraybuffer(env);\n',
    'src/addon.cc:3: only binding/buffers.cc',
  ],
  [
    'a pure file imports native',
    'lib/range.ts',
    "import './native.js';\n",
    'lib/range.ts:1: pure may not reach native',
  ],
  [
    'a pure file imports a feature, for its types',
    'lib/errors.ts',
    "\nimport type { Mapping } from './mapping.js';\n",
    'lib/errors.ts:2: pure may not reach features',
  ],
  ['native.ts imports a feature', 'lib/native.ts', "import './mmap.js';\n", 'lib/native.ts:1: native may not'],
  ['a feature imports ipc', 'lib/mmap.ts', "import './ipc/queue.js';\n", 'lib/mmap.ts:1: features may not reach ipc'],
  [
    'a feature imports ipc at run time',
    'lib/mmap.ts',
    "const load = () => import('./ipc/queue.js');\n",
    'lib/mmap.ts:1: features may not reach ipc',
  ],
  [
    'ipc imports the index',
    'lib/ipc/queue.ts',
    "import '../index.js';\n",
    'lib/ipc/queue.ts:1: ipc may not reach index',
  ],
  ['a second file loads the addon', 'lib/mmap.ts', "require('node-gyp-build');\n", 'lib/mmap.ts:1: only binary.ts'],
  ['index.ts does something', 'lib/index.ts', "export * from './mmap.js';\nmmap();\n", 'lib/index.ts:2: index.ts only'],
  ['a file that is too long', 'lib/mmap.ts', ';\n'.repeat(251), 'lib/mmap.ts:251: 251 lines'],
])('%s', (_name, file, text, problem) => {
  expect(check({ [file]: text })).toEqual([expect.stringContaining(problem)]);
});

test('a round of imports is reported once, with its files', () => {
  const round = {
    'lib/mapping.ts': "import { a } from './alloc.js';\n",
    'lib/alloc.ts': "import { mmap } from './mmap.js';\n",
  };
  expect(check(round)).toEqual([
    expect.stringContaining('lib/alloc.ts -> lib/mmap.ts -> lib/mapping.ts -> lib/alloc.ts'),
  ]);
});
