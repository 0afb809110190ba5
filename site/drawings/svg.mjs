/** What the drawings are made of: text that is an SVG, in light and dark. */

const STYLE = `
  svg { --ink: #1f2937; --soft: #56637a; --line: #9aa6b8; --card: #ffffff; --edge: #d5dbe5; --code: #f1f5f9;
    --page: #d3f0ea; --page-edge: #0f766e; --write: #fbbf24; --write-edge: #b45309 }
  @media (prefers-color-scheme: dark) {
    svg { --ink: #e8eaf0; --soft: #a4afc2; --line: #76829a; --card: #202127; --edge: #3c3f4a; --code: #161618;
      --page: #134e4a; --page-edge: #2dd4bf; --write: #b45309; --write-edge: #fbbf24 }
  }
  text { fill: var(--ink); font: 15px system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif }
  .title { font-size: 19px; font-weight: 650 }
  .soft { fill: var(--soft) }
  .small { font-size: 13px }
  .middle { text-anchor: middle }
  .end { text-anchor: end }
  .code { font: 14.5px ui-monospace, SFMono-Regular, Menlo, 'DejaVu Sans Mono', monospace; white-space: pre }
  .key { fill: var(--page-edge); font-weight: 600 }
  .card { fill: var(--card); stroke: var(--edge) }
  .sunken { fill: var(--code) }
  .box { fill: var(--card); stroke: var(--line); stroke-width: 1.5 }
  .page { fill: var(--page); stroke: var(--page-edge); stroke-width: 1.5 }
  .blank { fill: none; stroke: var(--page-edge); stroke-width: 1.5; stroke-dasharray: 4 3 }
  .write { fill: var(--write); stroke: var(--write-edge); stroke-width: 1.5 }
  .arrow { fill: none; stroke: var(--page-edge); stroke-width: 2; marker-end: url(#head) }
  .change { stroke: var(--write-edge); marker-end: url(#change-head) }
  .dashed { stroke-dasharray: 5 4 }
  .plain { marker-end: none }
  #head path { fill: var(--page-edge) }
  #change-head path { fill: var(--write-edge) }
`;

const head = (id) =>
  `<marker id="${id}" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="6" markerHeight="6" orient="auto-start-reverse">` +
  `<path d="M0 0 10 5 0 10z"/></marker>`;

const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/** A whole drawing. `title` is for those who cannot see it. */
export const drawing = ({ width, height, title, parts }) =>
  `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">\n` +
  `<title>${escape(title)}</title>\n<style>${STYLE}</style>\n<defs>${head('head')}${head('change-head')}</defs>\n` +
  `${parts.flat(Infinity).join('\n')}\n</svg>\n`;

export const text = (x, y, words, kind = '') => `<text x="${x}" y="${y}" class="${kind}">${escape(words)}</text>`;

export const lines = (x, y, step, all, kind) => all.map((words, i) => text(x, y + i * step, words, kind));

export const box = (x, y, width, height, kind = 'box', radius = 8) =>
  `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" class="${kind}"/>`;

export const arrow = (path, kind = '') => `<path d="${path}" class="arrow ${kind}"/>`;

export const at = (x, y, parts) => [`<g transform="translate(${x} ${y})">`, parts, '</g>'];

/** A box with words in its middle. */
export const labelled = (x, y, width, height, words, kind) => [
  box(x, y, width, height, kind),
  lines(x + width / 2, y + height / 2 + 5 - (words.length - 1) * 10, 20, words, 'middle'),
];
