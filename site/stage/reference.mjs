import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { Application } from 'typedoc';

/** How typedoc calls each entry point, and how it is imported. */
const ENTRIES = { lib: 'mmap-native', 'lib/ipc': 'mmap-native/ipc' };

/** A page of docs/ that a doc comment names. */
const NAMED_PAGE = /`?docs\/([\w-]+\.md)`?/g;

const options = (root) => ({
  entryPoints: ['lib/index.ts', 'lib/ipc/index.ts'].map((path) => join(root, path)),
  tsconfig: join(root, 'tsconfig.build.json'),
  basePath: root,
  plugin: ['typedoc-plugin-markdown'],
  name: 'Reference',
  readme: 'none',
  logLevel: 'Warn',
  disableGit: true,
  disableSources: true,
  excludeInternal: true,
  excludePrivate: true,
  excludeExternals: true,
  sort: ['source-order'],
  groupOrder: ['Functions', 'Classes', '*'],
  requiredToBeDocumented: ['Class', 'Function', 'Interface', 'TypeAlias', 'Variable', 'Property', 'Method', 'Accessor'],
  intentionallyNotExported: ['HandleBase'],
  validation: { notExported: true, notDocumented: true, invalidLink: true },
  membersWithOwnFile: ['Class', 'Function', 'Interface', 'TypeAlias'],
  entryFileName: 'index',
  hideBreadcrumbs: true,
  hidePageHeader: true,
  useCodeBlocks: true,
  indexFormat: 'table',
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
  expandObjects: true,
  tableColumnSettings: { hideModifiers: true, hideInherited: true, hideOverrides: true, hideSources: true },
  pageTitleTemplates: { index: 'API reference', module: '{name}', member: '{name}' },
});

/** Writes the reference: a page for each public name, out of the doc comments of lib/. What has no comment is an error. */
export const writeReference = async (root, folder) => {
  const app = await Application.bootstrapWithPlugins(options(root));
  const project = await app.convert();
  if (project === undefined) throw new Error('lib/ does not compile');
  for (const entry of project.children) entry.name = ENTRIES[entry.name];
  app.validate(project);
  await app.outputs.writeOutput({ name: 'markdown', path: folder }, project);
  if (app.logger.hasErrors() || app.logger.hasWarnings()) throw new Error('the reference is not complete: see above');
  for (const name of readdirSync(folder, { recursive: true }).filter((one) => one.endsWith('.md'))) {
    const up = '../'.repeat(name.split(posix.sep).length);
    const text = readFileSync(join(folder, name), 'utf8');
    writeFileSync(join(folder, name), text.replaceAll(NAMED_PAGE, `[docs/$1](${up}$1)`));
  }
};
