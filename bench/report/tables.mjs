import { aimText, formatPoint, isMet } from '../harness/format.mjs';
import { rowsOf } from '../harness/table.mjs';

const escape = (text) => text.replaceAll('|', String.raw`\|`);

export const markdownTable = (rows) => {
  const [head, ...body] = rows.map((row) => row.map(escape));
  const line = (cells) => `| ${head.map((_, i) => cells[i] ?? '').join(' | ')} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? '---' : '--:'))), ...body.map(line)].join('\n');
};

/** A case's tables: one, or one for each point. */
export const caseTables = (result) =>
  result.points
    .map((point) => {
      const table = markdownTable(rowsOf(result, point));
      if (point.point === undefined) return table;
      return `**${result.axis.name}: ${formatPoint(point.point, result.axis.unit)}**\n\n${table}`;
    })
    .join('\n\n');

/** What was aimed at, and what came out. */
export const aimsTable = (cases) => {
  const rows = Object.values(cases).flatMap((result) =>
    result.points.flatMap(({ aims }) => aims.map((aim) => [result.title, aimText(aim), isMet(aim) ? 'yes' : '**no**'])),
  );
  return markdownTable([['case', 'measured', 'reached'], ...rows]);
};
