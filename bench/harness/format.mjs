const scaled = (value, units, step) => {
  let unit = 0;
  while (unit < units.length - 1 && Math.abs(value) >= step) {
    value /= step;
    unit++;
  }
  return `${value === 0 ? '0' : value.toPrecision(3).includes('e') ? value.toFixed(0) : Number(value.toPrecision(3))} ${units[unit]}`;
};

export const formatTime = (ns) => scaled(ns, ['ns', 'µs', 'ms', 's'], 1000);
export const formatBytes = (bytes) => scaled(bytes, ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024);
export const formatCount = (count) => scaled(count, ['', 'k', 'M'], 1000).trim();
export const formatRatio = (ratio) =>
  ratio >= 100 ? ratio.toFixed(0) : ratio >= 10 ? ratio.toFixed(1) : ratio.toFixed(2);

export const formatPoint = (value, unit) =>
  ({
    bytes: () => formatBytes(value),
    share: () => `${Number((value * 100).toPrecision(3))} %`,
    count: () => value.toLocaleString('en'),
    word: () => value,
  })[unit]();

/** `median (p5–p95)`. */
export const withSpread = ({ median, p5, p95 }, format) =>
  p5 === undefined ? format(median) : `${format(median)} (${format(p5)}–${format(p95)})`;

/** The numbers that tell a story beside the time, with their names in tables. */
export const EXTRAS = {
  minorFaults: { title: 'minor faults', format: formatCount },
  majorFaults: { title: 'major faults', format: formatCount },
  diskBytes: { title: 'read from disk', format: formatBytes },
  ownBytes: { title: 'own memory', format: formatBytes },
  fileBytes: { title: 'file memory', format: formatBytes },
  pssBytes: { title: 'memory (PSS)', format: formatBytes },
  peakBytes: { title: 'peak of the group', format: formatBytes },
  collections: { title: 'collections', format: formatCount },
  p99Ms: { title: 'loop delay p99', format: (ms) => `${formatRatio(ms)} ms` },
  maxMs: { title: 'loop delay max', format: (ms) => `${formatRatio(ms)} ms` },
};

export const formatExtra = (name, value) => {
  if (value === undefined) return '–';
  const { format } = EXTRAS[name];
  return format(typeof value === 'number' ? value : value.median);
};

export const isMet = ({ measured, atMost }) => measured.median <= atMost;

export const aimText = (aim) =>
  aim.metric === undefined
    ? `${aim.contestant}: ${withSpread(aim.measured, formatRatio)} × ${aim.against}, aim ≤ ${aim.atMost}`
    : `${aim.contestant}: ${EXTRAS[aim.metric].title} ${formatExtra(aim.metric, aim.measured)}, aim ≤ ${aim.atMost}`;
