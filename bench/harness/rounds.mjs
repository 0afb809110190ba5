import { Player } from './player.mjs';
import { shuffler, summarize } from './statistics.mjs';

/** How many operations make a turn long enough to be timed well. Counts as warm-up. */
const calibrate = async (player, targetMs) => {
  for (let operations = 1; ;) {
    const { ns } = await player.turn(operations);
    const ms = (ns * operations * player.divisor) / 1e6;
    if (ms >= targetMs / 2) return Math.max(1, Math.round((operations * targetMs) / ms));
    operations *= Math.min(16, Math.max(2, Math.floor(targetMs / ms)));
  }
};

/** What is measured at the end of a turn; all else is counted, and divided by the operations. */
const STATES = new Set(['ownBytes', 'fileBytes', 'p99Ms', 'maxMs', 'pssBytes', 'peakBytes']);

const summarizePlayer = (player, samples, baseline) => {
  const summary = { operations: player.operations, ns: summarize(samples.map(({ ns }) => ns)) };
  if (baseline !== undefined) summary.ratio = summarize(samples.map(({ ns }, round) => ns / baseline[round].ns));
  for (const name of Object.keys(samples[0])) {
    if (name === 'ns') continue;
    const divisor = STATES.has(name) ? 1 : player.operations * player.divisor;
    summary[name] = summarize(samples.map((sample) => sample[name] / divisor));
  }
  if ('collections' in samples[0]) summary.collections = samples.reduce((sum, sample) => sum + sample.collections, 0);
  return summary;
};

/** One generation of processes: every round each of them once, in a shuffled order. */
const playGeneration = async (players, rounds, { definition, context, targetMs, beforeTurn, progress, shuffle }) => {
  const turn = async (player, operations) => {
    await beforeTurn(context, player.name);
    return player.turn(operations);
  };
  for (const player of players) {
    const given = definition.contestants[player.name].operations ?? definition.operations;
    const calibrated = { divisor: player.divisor, turn: (operations) => turn(player, operations) };
    player.operations = given ?? (await calibrate(calibrated, targetMs));
  }
  const warmUps = definition.warmUps ?? 1;
  for (let round = -warmUps; round < rounds; round++) {
    for (const player of shuffle(players.filter(({ skipped }) => skipped === undefined))) {
      const sample = await turn(player, player.operations);
      if (round >= 0 && sample !== undefined) player.samples.push(sample);
    }
    if (round >= 0) progress();
  }
};

/**
 * Plays all contestants against each other at one point of a case. What V8 makes of the same code differs from process to process:
 * the rounds are shared among generations of processes, so that the spread has this in it.
 */
export const play = async (definition, context, { rounds, generations, targetMs, beforeTurn, progress }) => {
  const names = Object.keys(definition.contestants).filter(
    (name) => definition.contestants[name].at?.(context.point) ?? true,
  );
  const shuffle = shuffler();
  const skipped = {};
  const played = new Map();
  let done = 0;
  for (let generation = 0; generation < generations; generation++) {
    const players = [];
    try {
      for (const name of names) {
        if (name in skipped) continue;
        const player = await Player.start(definition, name, context);
        player.samples = played.get(name)?.samples ?? [];
        players.push(player);
      }
      const share = Math.ceil((rounds - done) / (generations - generation));
      const active = players.filter((player) => player.skipped === undefined);
      await playGeneration(active, share, {
        definition,
        context,
        targetMs,
        beforeTurn,
        shuffle,
        progress: () => progress(++done / rounds),
      });
    } finally {
      await Promise.all(players.map((player) => player.stop()));
    }
    for (const player of players) {
      if (player.skipped === undefined) played.set(player.name, player);
      else skipped[player.name] = player.skipped;
    }
  }
  for (const name of Object.keys(skipped)) played.delete(name);
  const samples = new Map([...played].map(([name, player]) => [name, player.samples]));
  const baseline = samples.get(definition.baseline);
  const contestants = Object.fromEntries(
    [...played].map(([name, player]) => [name, summarizePlayer(player, player.samples, baseline)]),
  );
  const aims = (definition.aims ?? []).flatMap((aim) => judge(aim, samples, contestants, context.point));
  return { contestants, skipped, aims };
};

/** An aim: `{ contestant, against, atMost }` for a ratio of times, `{ contestant, metric, atMost }` for a number as it is. */
const judge = (aim, samples, contestants, point) => {
  const mine = samples.get(aim.contestant);
  if (mine === undefined || (aim.at !== undefined && aim.at !== point)) return [];
  if (aim.metric !== undefined) {
    const measured = contestants[aim.contestant][aim.metric];
    return [{ ...aim, measured: typeof measured === 'number' ? { median: measured } : measured }];
  }
  const other = samples.get(aim.against);
  if (other === undefined) return [];
  return [{ ...aim, measured: summarize(mine.map(({ ns }, round) => ns / other[round].ns)) }];
};
