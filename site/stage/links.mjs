import { posix } from 'node:path';

const FENCED = /(^```[\s\S]*?^```$)/m;
const LINK = /(!?)\[((?:[^[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)/g;

/**
 * A page with its links as the site has them. `path` is where it is in the repository, `places` what goes where. A link to what has no page
 * is left out, its words stay.
 */
export const withLinks = (text, path, places) => {
  const here = posix.dirname(places.get(path));
  const rewrite = (whole, image, words, link) => {
    if (/^(?:[a-z]+:|#)/.test(link)) return whole;
    const [file, anchor] = link.split('#');
    const place = places.get(posix.join(posix.dirname(path), file).replace(/\/$/, ''));
    if (place === undefined) return words;
    const target = posix.relative(here, place);
    return `${image}[${words}](./${target}${anchor === undefined ? '' : `#${anchor}`})`;
  };
  return text
    .split(FENCED)
    .map((part) => (part.startsWith('```') ? part : part.replaceAll(LINK, rewrite)))
    .join('');
};
