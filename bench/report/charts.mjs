import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';
import { formatBytes, formatPoint, formatTime } from '../harness/format.mjs';

const WIDTH = 720;
/** Apart from each other, and from a white and from a black page. */
const COLORS = ['#2f81f7', '#d9822b', '#3fa34d', '#b265d6', '#d64550', '#8a8f98', '#1f9e9e'];
const STYLE =
  '<style>svg{color:#24292f;font-family:system-ui,sans-serif}@media(prefers-color-scheme:dark){svg{color:#e6edf3}}</style>';

const draw = (options) => {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({ document, width: WIDTH, style: { background: 'transparent', fontSize: '12px' }, ...options });
  svg.setAttribute('xmlns', 'http://www.w3.org/2000/svg');
  return `${svg.outerHTML.replace(/^(<svg[^>]*>)/, `$1${STYLE}`)}\n`;
};

const flatten = (result, metric) =>
  result.points.flatMap(({ point, contestants }) =>
    Object.entries(contestants)
      .filter(([, summary]) => summary[metric] !== undefined)
      .map(([name, summary]) => ({ name, point, ...summary[metric] })),
  );

/** Labels at the ends of lines, moved apart where they would lie on each other. Heights are shares of the scale. */
const spreadLabels = (ends, gap) => {
  const sorted = ends.toSorted((a, b) => a.height - b.height);
  for (let i = 1; i < sorted.length; i++) sorted[i].height = Math.max(sorted[i].height, sorted[i - 1].height + gap);
  return sorted;
};

/** A curve: a line for each contestant, with a band from p5 to p95, and its name at the end. */
export const curve = (result, { metric = 'ns', yLabel = `time per ${result.unit}` } = {}) => {
  const rows = flatten(result, metric);
  const names = [...new Set(rows.map(({ name }) => name))];
  const values = rows.flatMap(({ p5, p95 }) => [p5, p95]).filter((value) => value > 0);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const logs = Math.log(high / low);
  const ends = names.map((name) => {
    const last = rows.findLast((row) => row.name === name);
    return { name, point: last.point, height: Math.log(last.median / low) / logs };
  });
  const labels = spreadLabels(ends, 0.055).map((end) => ({ ...end, y: low * Math.exp(end.height * logs) }));
  const format = metric === 'ns' ? formatTime : formatBytes;
  const points = result.points.map(({ point }) => point);
  return draw({
    height: 380,
    marginLeft: 70,
    marginRight: 220,
    marginBottom: 45,
    x: {
      type: points.every((point) => point > 0) ? 'log' : 'linear',
      ticks: points,
      tickFormat: (point) => formatPoint(point, result.axis.unit),
      label: result.axis.name,
      labelAnchor: 'center',
    },
    y: { type: 'log', ticks: 6, tickFormat: format, label: yLabel, grid: true },
    color: { domain: names, range: COLORS },
    marks: [
      Plot.areaY(rows, { x: 'point', y1: 'p5', y2: 'p95', fill: 'name', fillOpacity: 0.15, z: 'name' }),
      Plot.lineY(rows, { x: 'point', y: 'median', stroke: 'name', strokeWidth: 2 }),
      Plot.dot(rows, { x: 'point', y: 'median', fill: 'name', r: 2.5 }),
      Plot.text(labels, { x: Math.max(...points), y: 'y', text: 'name', fill: 'name', textAnchor: 'start', dx: 8 }),
    ],
  });
};

/** Rows of dots on a logarithmic scale: how long others take for what takes us 1. Labels stand above and below in turn. */
export const comparison = (rows) => {
  const order = [...new Set(rows.map(({ row }) => row))];
  const numbered = order.flatMap((row) => rows.filter((one) => one.row === row).map((one, i) => ({ ...one, i })));
  const label = (parity, dy) =>
    Plot.text(
      numbered.filter(({ i }) => i % 2 === parity),
      { y: 'row', x: 'median', text: 'label', dy, fill: 'currentColor' },
    );
  return draw({
    height: 70 + order.length * 56,
    marginLeft: 260,
    marginRight: 45,
    marginBottom: 45,
    marginTop: 30,
    x: {
      type: 'log',
      label: 'time, as a multiple of mmap-native’s',
      labelAnchor: 'center',
      labelArrow: 'right',
      tickFormat: (x) => `${x.toLocaleString('en')}×`,
      grid: true,
    },
    y: { domain: order, label: null, tickSize: 0 },
    marks: [
      Plot.ruleX([1], { stroke: COLORS[0], strokeWidth: 2 }),
      Plot.text(['mmap-native'], { x: [1], frameAnchor: 'top', dy: -14, fill: COLORS[0], fontWeight: 'bold' }),
      Plot.ruleY(rows, { y: 'row', x1: 'p5', x2: 'p95', stroke: COLORS[1], strokeOpacity: 0.5, strokeWidth: 3 }),
      Plot.dot(rows, { y: 'row', x: 'median', fill: COLORS[1], r: 4 }),
      label(0, -13),
      label(1, 14),
    ],
  });
};
