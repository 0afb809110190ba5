/** The file of the site that a link names. */
const pathOf = (origin, link) =>
  link.startsWith(origin)
    ? decodeURIComponent(new URL(link).pathname.slice(1)).replace(/(^|\/)$/, '$1index.html')
    : undefined;

/** Pages that no other page leads to. */
export const alone = (origin, found) => {
  const targets = [...found].flatMap(([path, { links }]) => links.filter((link) => pathOf(origin, link) !== path));
  const reached = new Set(targets.map((link) => pathOf(origin, link)));
  return [...found.keys()].filter((path) => !reached.has(path)).map((path) => `${path}: no page leads here`);
};

/** Links between the pages that lead nowhere: no such page, or no such anchor in it. */
export const lost = (origin, found) =>
  [...found].flatMap(([path, { links }]) =>
    [...new Set(links)]
      .filter((link) => link.startsWith(origin))
      .filter((link) => {
        const { hash } = new URL(link);
        const page = found.get(pathOf(origin, link));
        return page === undefined || (hash !== '' && !page.anchors.includes(decodeURIComponent(hash.slice(1))));
      })
      .map((link) => `${path}: the link to ${link.slice(origin.length)} leads nowhere`),
  );
