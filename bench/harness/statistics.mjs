/** The value below which a share `p` of the sorted samples lies; between two samples, the nearer one. */
const percentile = (sorted, p) => sorted[Math.round((sorted.length - 1) * p)];

/** Median, p5 and p95 of samples. A mean would tell of the machine's worst moment, not of the work. */
export const summarize = (samples) => {
  const sorted = samples.toSorted((a, b) => a - b);
  return { median: percentile(sorted, 0.5), p5: percentile(sorted, 0.05), p95: percentile(sorted, 0.95) };
};

/** The same numbers each run: which contestant goes first in a round should not depend on luck. */
export const shuffler = (seed = 1) => {
  let state = seed;
  const next = (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
  return (items) => {
    const shuffled = [...items];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = next(i + 1);
      [shuffled[i], shuffled[j]] = [shuffled[j], shuffled[i]];
    }
    return shuffled;
  };
};
