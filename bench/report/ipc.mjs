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

const SETTINGS = ['round trip, µs', 'round trip, each on a core of its own, µs', 'round trip, both on one core, µs'];
const SENDS = ['process.send, json', 'process.send, advanced'];

/** What was aimed at: the number that came out, and whether it is enough. */
const AIMS = [
  [
    'a blocking round trip, each side on a core of its own: at most 1.5 × C futex',
    (report) => report[SETTINGS[1]]['Channel, sync']['× C'].median,
    (ratio) => ratio <= 1.5,
  ],
  [
    'an asynchronous one: below the faster `process.send`, in each of the three settings',
    (report) =>
      Math.max(
        ...SETTINGS.map(
          (setting) =>
            report[setting]['Channel, async'].p50.median /
            Math.min(...SENDS.map((name) => report[setting][name].p50.median)),
        ),
      ),
    (ratio) => ratio < 1,
  ],
  ...[
    [64, 20],
    [2 ** 20, 30],
  ].flatMap(([size, least]) => {
    const times = (report, send) => {
      const seen = report[`messages of ${size} bytes a second`];
      return seen['Queue, async drain'].rate.median / seen[send].rate.median;
    };
    const what = `messages of ${size.toLocaleString('en')} bytes to an asynchronous consumer`;
    return [
      [`${what}: at least ${least} × \`process.send\``, (report) => times(report, SENDS[0]), (ratio) => ratio >= least],
      [`${what}: × \`process.send\` with \`serialization: 'advanced'\``, (report) => times(report, SENDS[1])],
    ];
  }),
  ...[
    [64, 0.45],
    [1024, 0.9],
    [65536, 0.9],
    [2 ** 20, 0.9],
  ].map(([size, least]) => [
    `messages of ${size.toLocaleString('en')} bytes, the best of our ways: at least ${least} × the ring in C`,
    (report) =>
      Math.max(
        ...Object.entries(report[`messages of ${size} bytes a second`])
          .filter(([name]) => name.startsWith('Queue'))
          .map(([, seen]) => seen['× C'].median),
      ),
    (ratio) => ratio >= least,
  ]),
  ['locking and unlocking: at most 40 ns', (report) => report['lock and unlock, ns'].Mutex.ns.median, (ns) => ns <= 40],
];

const aims = (report) =>
  markdownTable([
    ['aimed at', 'measured', 'reached'],
    ...AIMS.map(([text, measure, isEnough]) => {
      const measured = measure(report);
      const verdict = isEnough === undefined ? 'no aim' : isEnough(measured) ? 'yes' : '**no**';
      return [text, formatRatio(measured), verdict];
    }),
  ]);

export const ipcCosts = ({ machine, rounds, report }) => {
  const groups = Object.entries(report);
  const lock = report['lock and unlock, ns'].Mutex.ns;
  return [
    `Node ${machine.node}, Linux ${machine.kernel}, ${machine.cores} virtual cores (${machine.cpu}), ${machine.date}: the median of ${rounds} rounds in which all took turns, ` +
      'with the least and the most in brackets. Compare within a column; `node bench/ipc/run.mjs` measures again.',
    roundTrips(groups.filter(([group]) => group.startsWith('round trip'))),
    rates(groups.filter(([group]) => SIZE.test(group))),
    `Locking and unlocking a Mutex that nobody else wants: ${spread(lock, formatTime)}.`,
    aims(report),
  ].join('\n\n');
};
