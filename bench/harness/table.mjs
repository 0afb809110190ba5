import { aimText, EXTRAS, formatExtra, formatPoint, formatRatio, formatTime, isMet, withSpread } from './format.mjs';

/** The columns of one point of a case: a head, and a row for each contestant. */
export const rowsOf = (result, { contestants, skipped }) => {
  const head = ['', `per ${result.unit}`, ...(result.baseline === undefined ? [] : [`× ${result.baseline}`])];
  head.push(...result.shown.map((name) => EXTRAS[name].title));
  const rows = Object.entries(contestants).map(([name, summary]) => {
    const row = [name, withSpread(summary.ns, formatTime)];
    if (result.baseline !== undefined)
      row.push(summary.ratio === undefined ? '' : withSpread(summary.ratio, formatRatio));
    return [...row, ...result.shown.map((extra) => formatExtra(extra, summary[extra]))];
  });
  for (const [name, reason] of Object.entries(skipped)) rows.push([name, `not run: ${reason}`]);
  return [head, ...rows];
};

const pad = (rows) => {
  const columns = Math.max(...rows.map((row) => row.length));
  const full = rows.filter((row) => row.length === columns);
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...full.map((row) => row[i].length)));
  return rows.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[i] ?? 0))).join('   '),
  );
};

/** A case's result as text for a terminal. */
export const terminalTable = (name, result) => {
  const lines = [`\n${result.title}  (${name}, ${result.rounds} rounds)`];
  for (const point of result.points) {
    if (point.point !== undefined) lines.push(`  ${result.axis.name}: ${formatPoint(point.point, result.axis.unit)}`);
    lines.push(...pad(rowsOf(result, point)).map((line) => `    ${line}`));
    for (const aim of point.aims) lines.push(`    ${isMet(aim) ? 'reached' : 'MISSED '}  ${aimText(aim)}`);
  }
  return lines.join('\n');
};
