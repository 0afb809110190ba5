import { formatRatio } from './format.mjs';

/** A short run is noisy: a ratio has collapsed when it is more than twice the committed one. */
const FACTOR = 2;

const pointsOf = (result) => new Map(result.points.map((point) => [point.point, point]));

/** Which ratios of what has an aim have collapsed against the committed result; also, that there is none to compare with. */
export const collapsed = (name, measured, committed) => {
  if (committed === undefined) return [`${name}: no committed result to compare with`];
  const before = pointsOf(committed);
  return measured.points.flatMap(({ point, contestants, aims }) =>
    [...new Set(aims.map(({ contestant }) => contestant))].flatMap((contestant) => {
      const { ratio } = contestants[contestant];
      const was = before.get(point)?.contestants[contestant]?.ratio?.median;
      if (ratio === undefined || was === undefined || ratio.median <= was * FACTOR) return [];
      return [
        `${name}: '${contestant}' is ${formatRatio(ratio.median)} × ${measured.baseline}, was ${formatRatio(was)}`,
      ];
    }),
  );
};
