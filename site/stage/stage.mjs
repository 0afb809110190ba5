import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withLinks } from './links.mjs';
import { examplesOf, placesOf } from './paths.mjs';

const TITLES = { 'README.md': '# Overview', 'SECURITY.md': '# Reporting a vulnerability' };

const pageOfExample = ({ path, command, purpose, text }) =>
  `# ${path.replace(/^examples\//, '').replace(/\.mjs$/, '')}\n\n${sentence(purpose)}\n\n` +
  `\`\`\`sh no-run\n${command}\n\`\`\`\n\n\`\`\`js\n${text.trimEnd()}\n\`\`\`\n`;

const sentence = (words) => `${words[0].toUpperCase()}${words.slice(1)}.`;

const indexOfExamples = (examples) => {
  const rows = examples.map(
    ({ path, purpose }) =>
      `- [${path.replace(/^examples\//, '')}](./${path.slice('examples/'.length, -'.mjs'.length)}.md): ${purpose}`,
  );
  return `# Examples\n\nPrograms that run as they are, in the folder \`examples/\` of the sources.\n\n${rows.join('\n')}\n`;
};

/** Makes a folder of pages out of the repository's: the same text, with links as the site has them. */
export const stage = (root, folder) => {
  rmSync(folder, { recursive: true, force: true });
  const places = placesOf(root);
  const put = (place, text) => {
    mkdirSync(dirname(join(folder, place)), { recursive: true });
    writeFileSync(join(folder, place), text);
  };
  for (const [path, place] of places) {
    if (path.endsWith('.md')) {
      const text = readFileSync(join(root, path), 'utf8');
      const titled = path in TITLES ? text.replace(/^# .*$/m, TITLES[path]) : text;
      put(place, withLinks(titled, path, places));
    } else if (path.startsWith('docs/')) {
      cpSync(join(root, path), join(folder, place));
    }
  }
  const examples = examplesOf(root);
  for (const example of examples) put(places.get(example.path), pageOfExample(example));
  put(places.get('examples'), indexOfExamples(examples));
};
