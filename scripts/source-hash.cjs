'use strict';
// Prints the hash that binding.gyp compiles into the addon: SHA-256 over the native
// sources, the build file and the version of the C++ headers, in a fixed order. Needs
// nothing but node, since it also runs when a user builds from source.
const { createHash } = require('node:crypto');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const hash = createHash('sha256');
const files = ['binding.gyp', ...require('./sources.cjs')];
for (const file of files) {
  const bytes = readFileSync(join(root, file));
  hash.update(`${file}\0${bytes.length}\0`).update(bytes);
}
hash.update(`node-addon-api\0${require('node-addon-api/package.json').version}`);

module.exports = hash.digest('hex').slice(0, 32);
if (require.main === module) process.stdout.write(module.exports);
