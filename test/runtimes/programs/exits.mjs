// FILE: leaves by process.exit() in the middle of everything.
import { anonymous, mapFile, startWorker, supports } from '../harness.mjs';

export const holds = (path, port) => {
  globalThis.held = [mapFile(path), anonymous(1 << 20)].map((mapping) => [mapping, mapping.bytes, mapping.sync()]);
  port.postMessage('ready');
  setInterval(() => {}, 1000);
};

const main = async () => {
  const path = process.argv.at(-1);
  const mapping = mapFile(path);
  mapping.bytes.fill(1);
  if (supports('sharedBuffer')) mapping.sharedView(Int32Array)[0] = 1;
  globalThis.held = [mapping, anonymous(1 << 20).bytes, anonymous(1 << 20, { sharing: 'shared' })];
  const { next } = startWorker(import.meta.url, 'holds', path);
  await next();
  for (let i = 0; i < 4; i++) void mapping.sync();
  void mapping.unmap();
  process.stdout.write('leaving', () => process.exit(42));
};

if (process.argv[1]?.endsWith('exits.mjs') && (await import('node:worker_threads')).isMainThread) await main();
