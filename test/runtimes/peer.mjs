// RUNTIME peer.mjs PACKAGE CODE DATA: the other process of a case in cases/ipc.mjs.
const [target, code, data] = process.argv.slice(2);
const tools = { mm: await import(target), ipc: await import(new URL('ipc/index.js', target).href) };
// oxlint-disable-next-line typescript/no-implied-eval -- that is its purpose
await new Function(`return (${code})`)()({ ...tools, data: JSON.parse(data) });
