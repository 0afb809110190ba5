/** Links between the pages that lead nowhere: no such page, or no such anchor in it. */
export const lost = (origin, found) =>
  [...found].flatMap(([path, { links }]) =>
    [...new Set(links)]
      .filter((link) => link.startsWith(origin))
      .filter((link) => {
        const { pathname, hash } = new URL(link);
        const target = decodeURIComponent(pathname.slice(1)).replace(/(^|\/)$/, '$1index.html');
        const page = found.get(target);
        return page === undefined || (hash !== '' && !page.anchors.includes(decodeURIComponent(hash.slice(1))));
      })
      .map((link) => `${path}: the link to ${link.slice(origin.length)} leads nowhere`),
  );
