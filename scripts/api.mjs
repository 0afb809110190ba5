// node scripts/api.mjs           the public face is as etc/*.api.md say
// node scripts/api.mjs --local   writes them, to be reviewed
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const { exports: entries } = createRequire(import.meta.url)('../package.json');
const file = fileURLToPath(new URL('../api-extractor.json', import.meta.url));
let changed = false;
for (const [name, { types }] of Object.entries(entries)) {
  if (types === undefined) continue;
  const configObject = ExtractorConfig.loadFile(file);
  configObject.mainEntryPointFilePath = fileURLToPath(new URL(`../${types}`, import.meta.url));
  configObject.apiReport.reportFileName = ['mmap-native', ...name.split('/').slice(1)].join('-');
  const config = ExtractorConfig.prepare({
    configObject,
    configObjectFullPath: file,
    packageJsonFullPath: fileURLToPath(new URL('../package.json', import.meta.url)),
  });
  const result = Extractor.invoke(config, { localBuild: process.argv.includes('--local') });
  changed ||= !result.succeeded;
}
process.exitCode = changed ? 1 : 0;
