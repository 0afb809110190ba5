/** 'Node.js 20.20.2' */
export const runtime = (): string => {
  const { bun, deno, node } = process.versions as Record<string, string | undefined>;
  if (bun !== undefined) return `Bun ${bun}`;
  return deno === undefined ? `Node.js ${node}` : `Deno ${deno}`;
};

/** No version of glibc in the report: it is musl, or the runtime does not tell. */
export const libc = (): string => {
  const { header } = (process.report?.getReport() ?? {}) as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime === undefined ? 'libc unknown, or musl' : `glibc ${header.glibcVersionRuntime}`;
};
