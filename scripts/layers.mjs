// node scripts/layers.mjs [ROOT]    the layers of src/ and lib/: who may include or import whom, and how long a file gets
//
//   src   addon -> binding -> core                      core knows no Node-API; runtime.cc stands alone
//   lib   index -> features -> native, pure             pure files need no build; ipc/, compat/ and cli/ are on top
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(process.argv[2] ?? fileURLToPath(new URL('..', import.meta.url)));

const LONGEST = 250;
// Longer files, each with the reason why it is not two.
const LONG_FOR_A_REASON = {
  'lib/mapping.ts': 'one class, the public face; more than half of it is its documentation',
};

const PURE = ['options', 'errors', 'range', 'constants', 'names', 'checks', 'binary'];
const NODE_HEADERS = ['napi.h', 'node_api.h', 'js_native_api.h', 'node.h', 'v8.h', 'uv.h'];

// What each layer may reach; a layer may always reach itself.
const REACH = {
  addon: ['binding', 'core', 'node-api'],
  binding: ['core', 'node-api'],
  core: [],
  runtime: [],
  index: ['ipc', 'features', 'native', 'pure'],
  ipc: ['features', 'native', 'pure'],
  compat: ['features', 'native', 'pure'],
  cli: ['index', 'features', 'native', 'pure'],
  features: ['native', 'pure'],
  native: ['pure'],
  pure: [],
};

// Words that only some files may use.
const RESERVED = [
  {
    under: 'src/',
    words: /create_external_(?:arraybuffer|buffer|sharedarraybuffer)|Napi::(?:Array)?Buffer(?:<[^>]*>)?::New/,
    files: ['src/binding/buffers.cc'],
    rule: 'only binding/buffers.cc makes external buffers',
  },
  {
    under: 'lib/',
    words: /node-gyp-build|\.node['"`]|\bdlopen\(/,
    files: ['lib/binary.ts'],
    rule: 'only binary.ts loads the addon',
  },
];

const problems = [];
const complain = (file, line, rule) => problems.push(`${file}:${line}: ${rule}`);
const lineAt = (text, index) => text.slice(0, index).split('\n').length;

// Comments become spaces, so that an example in one is not taken for code and lines keep their numbers.
const withoutComments = (text) =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|(?<![:'"`\\])\/\/.*/g, (comment) => comment.replaceAll(/[^\n]/g, ' '));

const sources = ['src', 'lib']
  .filter((folder) => existsSync(join(root, folder)))
  .flatMap((folder) => readdirSync(join(root, folder), { recursive: true }).map((name) => `${folder}/${name}`))
  .filter((file) => /\.(?:cc|h|ts)$/.test(file))
  .toSorted((a, b) => a.localeCompare(b))
  .map((file) => ({ file, text: withoutComments(readFileSync(join(root, file), 'utf8')) }));

function layerOf(file) {
  const [top, second, third] = file.replace(/\.(?:cc|h|ts)$/, '').split('/');
  if (third !== undefined) return second;
  if (top === 'src' || second === 'index' || second === 'native') return second;
  return PURE.includes(second) ? 'pure' : 'features';
}

function* includes(text) {
  for (const { index, 1: name } of text.matchAll(/^[ \t]*#[ \t]*include[ \t]*[<"]([^>"]+)[>"]/gm)) {
    if (NODE_HEADERS.includes(name)) yield { index, name, layer: 'node-api' };
    else if (existsSync(join(root, 'src', name))) yield { index, name, layer: layerOf(`src/${name}`) };
  }
}

function* imports(file, text) {
  const statement =
    /\b(?:(?:import|export)\s+(type\s)?[^;'"]*?from\s*|import\s*\(?\s*|require\s*\(\s*)['"](\.[^'"]+)['"]/g;
  for (const { index, 1: type, 2: name } of text.matchAll(statement)) {
    const target = join(dirname(file), name).replace(/\.js$/, '.ts');
    yield { index, name, target, layer: layerOf(target), type: type !== undefined };
  }
}

// Files of one layer that need each other to run are one module in pieces; types may go round.
function cycleFrom(start, edges) {
  const seen = new Set();
  const visit = (file, path) => {
    for (const next of edges.get(file) ?? []) {
      if (next === start) return [...path, start];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = visit(next, [...path, next]);
      if (found) return found;
    }
    return undefined;
  };
  return visit(start, [start]);
}

const edges = new Map();
for (const { file, text } of sources) {
  const layer = layerOf(file);
  const found = file.startsWith('src/') ? [...includes(text)] : [...imports(file, text)];
  if (!(layer in REACH)) complain(file, 1, `belongs to no layer: ${Object.keys(REACH).join(', ')}`);
  for (const { index, name, layer: other } of found) {
    const allowed = other === layer || REACH[layer]?.includes(other);
    if (!allowed) complain(file, lineAt(text, index), `${layer} may not reach ${other} (${name})`);
  }
  edges.set(
    file,
    found.filter((other) => other.target && !other.type && other.layer === layer).map(({ target }) => target),
  );

  if (layer === 'index') {
    const rest = text.replaceAll(
      /\bexport\s+(?:type\s+)?(?:\*(?:\s+as\s+\w+)?|\{[^}]*\})\s*from\s*['"][^'"]+['"];?/g,
      (all) => all.replaceAll(/[^\n]/g, ' '),
    );
    const index = rest.search(/\S/);
    if (index >= 0) complain(file, lineAt(rest, index), 'index.ts only re-exports');
  }
  for (const { under, words, files, rule } of RESERVED) {
    const index = !file.startsWith(under) || files.includes(file) ? -1 : text.search(words);
    if (index >= 0) complain(file, lineAt(text, index), rule);
  }
  const lines = text.trimEnd().split('\n').length;
  if (lines > LONGEST && !(file in LONG_FOR_A_REASON))
    complain(file, lines, `${lines} lines, more than ${LONGEST}: is it two files?`);
}
for (const file of edges.keys()) {
  const cycle = cycleFrom(file, edges);
  // said once, by the first file of the round
  if (cycle && file === cycle.toSorted()[0]) complain(file, 1, `imports itself: ${cycle.join(' -> ')}`);
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`layers: ${sources.length} files keep to theirs`);
