import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const withoutCode = (text) => text.replaceAll(/```[\s\S]*?```/g, '');

/** The anchor that GitHub makes of a heading, and the site, too. */
export const anchorOf = (heading) =>
  heading
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');

const anchorsOf = (text) => [...withoutCode(text).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => anchorOf(heading));

/** Links to files that are not there, and to headings that no page has. */
export const brokenLinks = (root, pages) => {
  const anchors = new Map(pages.map(({ path, text }) => [path, anchorsOf(text)]));
  return pages.flatMap(({ path, text }) =>
    [...withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, link]) => link)
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [file, anchor] = link.split('#');
        const target = file === '' ? path : normalize(join(dirname(path), file));
        if (!existsSync(join(root, target))) return true;
        return anchor !== undefined && !anchors.get(target)?.includes(anchor);
      })
      .map((link) => `${path}: the link ${link} leads nowhere`),
  );
};
