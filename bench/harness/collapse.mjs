import { formatRatio } from './format.mjs';

/** A short run is noisy: a ratio has collapsed when it is more than twice the committed one. */
const FACTOR = 2;

const pointsOf = (result) => new Map(result.points.map((point) => [point.point, point]));

/** Which ratios of a run have collapsed against the committed results; also, what there is no result to compare with. */
export const collapsed = (measured, committed) =>
  Object.entries(measured).flatMap(([name, result]) => {
    if (committed[name] === undefined) return [`${name}: no committed result to compare with`];
    const before = pointsOf(committed[name]);
    return result.points.flatMap((point) =>
      Object.entries(point.contestants).flatMap(([contestant, { ratio }]) => {
        const was = before.get(point.point)?.contestants[contestant]?.ratio?.median;
        if (ratio === undefined || was === undefined || ratio.median <= was * FACTOR) return [];
        return [
          `${name}: '${contestant}' is ${formatRatio(ratio.median)} × ${result.baseline}, was ${formatRatio(was)}`,
        ];
      }),
    );
  });
