'use strict';
// Prints the C++ sources for binding.gyp, one a line; src/runtime.cc belongs to the shipped build alone.
const { readdirSync } = require('node:fs');
const { join } = require('node:path');

const root = join(__dirname, '..');
const below = (folder) =>
  readdirSync(join(root, folder), { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => (entry.isDirectory() ? below(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`]));

module.exports = below('src');
if (require.main === module) {
  const compiled = module.exports.filter((file) => file.endsWith('.cc') && file !== 'src/runtime.cc');
  process.stdout.write(compiled.join('\n'));
}
