import { styleText } from 'node:util';

const colourful = process.stdout.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';

/** In colour, where somebody can see it. */
export const paint = (format, text) => (colourful && text.trim() !== '' ? styleText(format, text) : text);

const INDENT = '   ';
const LABEL = 12;
const width = Math.min(process.stdout.columns ?? 100, 100);

/** Prose, broken into lines. */
export const wrap = (text, indent = INDENT) => {
  const room = width - indent.length;
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== '' && line.length + word.length >= room) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.map((line) => indent + line).join('\n');
};

/** Prose for `labelled`. */
export const wrapBesideLabel = (text) =>
  wrap(text, ' '.repeat(INDENT.length + LABEL + 1))
    .split('\n')
    .map((line) => line.trimStart());

/** A label, and one or more lines beside it. */
export const labelled = (label, lines) =>
  [lines].flat().map((line, i) => `${INDENT}${paint('dim', (i === 0 ? label : '').padEnd(LABEL))} ${line}`);

/** Rows of words in columns: the first to the left, `left` of them altogether, the others to the right. */
export const columns = (rows, left = 1) => {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    row
      .map((cell, i) => (i < left ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
      .join('  ')
      .trimEnd(),
  );
};

const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];

/** Bytes in the largest unit that leaves a number of at least 1. */
export const humanBytes = (count) => {
  const unit = Math.min(UNITS.length - 1, count < 1 ? 0 : Math.floor(Math.log2(count) / 10));
  return unit === 0 ? `${count} bytes` : `${(count / 1024 ** unit).toFixed(1)} ${UNITS[unit]}`;
};

/** A time, in µs below a millisecond. */
export const humanTime = (ms) => (ms < 1 ? `${(ms * 1000).toFixed(1)} µs` : `${ms.toFixed(ms < 100 ? 1 : 0)} ms`);

const SECOND = 1000;

/** Awaits work(report), and says on a terminal what it waits for once that takes longer than a second. */
export const withProgress = async (label, work) => {
  const start = performance.now();
  let fraction;
  const show = () => {
    const elapsed = performance.now() - start;
    if (elapsed < SECOND) return;
    const how = fraction === undefined ? `${(elapsed / SECOND).toFixed(0)} s` : `${(fraction * 100).toFixed(0)} %`;
    process.stderr.write(`\r\u001B[K${INDENT}${label} … ${how}`);
  };
  const shown = process.stderr.isTTY === true;
  const timer = shown ? setInterval(show, 250) : undefined;
  try {
    return await work((done) => {
      fraction = done;
    });
  } finally {
    clearInterval(timer);
    if (shown && performance.now() - start >= SECOND) process.stderr.write('\r\u001B[K');
  }
};
