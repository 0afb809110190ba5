// docs/ipc.md's tables of what talking costs, from bench/results/ipc.json.
import { formatCount, formatRatio, formatTime } from '../harness/format.mjs';
import { markdownTable } from './tables.mjs';

const spread = ({ median, least, most }, format) => `${format(median)} (${format(least)}–${format(most)})`;
const micro = (value) => formatTime(value * 1000);
const SIZE = /^messages of (\d+) bytes a second$/;

const roundTrips = (groups) => {
  const names = [...new Set(groups.flatMap(([, contestants]) => Object.keys(contestants)))];
  const head = [
    'round trip, 64 bytes',
    ...groups.map(([group]) => group.replace(/^round trip(?:, )?|(?:, )?µs$/g, '') || 'as the scheduler likes'),
  ];
  const rows = names.map((name) => [
    name,
    ...groups.map(([, { [name]: seen }]) =>
      seen === undefined ? '–' : `${spread(seen.p50, micro)}; ${formatRatio(seen['× C'].median)} × C`,
    ),
  ]);
  return markdownTable([head, ...rows]);
};

const rates = (groups) => {
  const names = Object.keys(groups[0][1]);
  const head = [
    'messages a second',
    ...groups.map(([group]) => `${Number(SIZE.exec(group)[1]).toLocaleString('en')} bytes`),
  ];
  const rows = names.map((name) => [
    name,
    ...groups.map(
      ([, { [name]: seen }]) => `${spread(seen.rate, formatCount)}; ${formatRatio(seen['× C'].median)} × C`,
    ),
  ]);
  return markdownTable([head, ...rows]);
};

export const ipcCosts = ({ machine, rounds, report }) => {
  const groups = Object.entries(report);
  const lock = report['lock and unlock, ns'].Mutex.ns;
  return [
    `Node ${machine.node}, Linux ${machine.kernel}, ${machine.cores} virtual cores (${machine.cpu}), ${machine.date}: the median of ${rounds} rounds in which all took turns, ` +
      'with the least and the most in brackets. Compare within a column; `node bench/ipc/run.mjs` measures again.',
    roundTrips(groups.filter(([group]) => group.startsWith('round trip'))),
    rates(groups.filter(([group]) => SIZE.test(group))),
    `Locking and unlocking a Mutex that nobody else wants: ${spread(lock, formatTime)}.`,
  ].join('\n\n');
};
