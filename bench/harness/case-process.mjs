// The process of one case: makes its files, lets its contestants play, sends what came out to the runner.
import { makeCold, withDirectory } from './files.mjs';
import { play } from './rounds.mjs';

const [name, json] = process.argv.slice(2);
const settings = JSON.parse(json);
const { default: definition } = await import(`../cases/${name}.mjs`);

const { short, runtime } = settings;
const rounds = short ? Math.min(5, definition.rounds ?? 5) : (definition.rounds ?? 31);
const generations = short ? 1 : Math.min(rounds, definition.generations ?? 3);
const targetMs = short ? 4 : (definition.targetMs ?? 20);
const points =
  definition.points === undefined ? [undefined] : short ? definition.points.short : definition.points.values;

await withDirectory(async (directory) => {
  const parameters = (await definition.prepare?.({ directory, short, points })) ?? {};
  const results = [];
  const beforeTurn = (context, contestant) => {
    if (definition.contestants[contestant].cold) makeCold(definition.cold(context));
  };
  try {
    for (const [index, point] of points.entries()) {
      const context = { parameters, point, short, runtime };
      const progress = (share) => process.send({ progress: (index + share) / points.length });
      results.push({
        point,
        ...(await play(definition, context, { rounds, generations, targetMs, beforeTurn, progress })),
      });
    }
  } finally {
    definition.cleanUp?.(parameters);
  }
  const { title, about, unit, baseline, points: axis } = definition;
  const shown = definition.shown ?? [];
  process.send({
    result: {
      title,
      about,
      unit,
      baseline,
      rounds,
      shown,
      axis: axis && { name: axis.name, unit: axis.unit },
      points: results,
    },
  });
});
process.disconnect();
