import { arrow, at, box, drawing, labelled, lines, text } from './svg.mjs';

const PAGE = 28;
const STEP = 33;
const STRIP = 124;

/** Five pages; one of them may be written to. */
const strip = (kind, written) =>
  Array.from({ length: 5 }, (_, i) => [
    box(i * STEP, STRIP, PAGE, PAGE, i === written ? 'write' : kind, 4),
    kind === 'blank' && i !== written ? text(i * STEP + PAGE / 2, STRIP + 19, '0', 'middle small soft') : [],
  ]);

const under = (words) => text(80, STRIP + PAGE + 22, words, 'middle small soft');

const ownCopy = [
  labelled(0, 0, 92, 40, ['process']),
  arrow(`M46 ${STRIP - 6} V48`),
  box(118, 6, PAGE, PAGE, 'write', 4),
  text(132, 52, 'its copy', 'middle small soft'),
  arrow(`M132 ${STRIP - 6} V60`, 'change dashed'),
  strip('page'),
  under('the file'),
];

const everybody = (kind, words) => [
  labelled(0, 0, 74, 40, ['process']),
  labelled(86, 0, 74, 40, ['process']),
  arrow(`M37 48 C37 92 74 84 77 ${STRIP - 6}`, 'change'),
  arrow(`M84 ${STRIP - 6} C86 84 123 92 123 48`),
  strip(kind, 2),
  under(words),
];

const alone = [
  labelled(30, 0, 100, 40, ['process']),
  arrow(`M80 48 V${STRIP - 6}`, 'change'),
  strip('blank', 2),
  under('zeros, from the kernel'),
];

const CELLS = [
  {
    title: 'Read a big file',
    cell: 'private, file',
    purpose: ['No copy, no read loop. What you', 'change is yours alone.'],
    code: ["backing: 'file',", "sharing: 'private',", "file: 'big.f32',"],
    picture: ownCopy,
  },
  {
    title: 'Change a file',
    cell: 'shared, file',
    purpose: ['What you write is in the file, and', 'seen by all who map it.'],
    code: ["backing: 'file',", "sharing: 'shared',", "file: 'table.db',", "access: 'readwrite',"],
    picture: everybody('page', 'the file'),
  },
  {
    title: 'Large buffers',
    cell: 'private, anonymous',
    purpose: ['Zeros; a page costs memory only', 'once it is touched.'],
    code: ["backing: 'anonymous',", "sharing: 'private',", 'length: 2 ** 30,'],
    picture: alone,
  },
  {
    title: 'Memory for many',
    cell: 'shared, anonymous',
    purpose: ['Workers and processes use the', 'same bytes. Nothing is sent.'],
    code: ["backing: 'anonymous',", "sharing: 'shared',", 'length: 2 ** 20,'],
    picture: everybody('blank', 'zeros, from the kernel'),
  },
];

const call = (code) => ['mmap({', ...code.map((line) => `  ${line}`), '})'];

/** Words on the left, picture on the right. */
const wideCell = ({ title, purpose, code, picture }) => [
  box(0, 0, 474, 262, 'card', 12),
  text(20, 36, title, 'title'),
  lines(20, 62, 21, purpose, 'soft'),
  box(20, 100, 252, 146, 'sunken'),
  lines(34, 179 - 11 * (code.length + 1), 22, call(code), 'code'),
  at(296, 46, picture),
];

const shortCall = (code) =>
  code.map((line, i) => (i === 0 ? 'mmap({ ' : '       ') + (i === code.length - 1 ? line.replace(/,$/, ' })') : line));

/** One above the other: for a phone. */
const narrowCell = ({ title, cell, purpose, code, picture }) => [
  box(0, 0, 378, 412, 'card', 12),
  text(20, 36, title, 'title'),
  text(358, 36, cell, 'end small key'),
  lines(20, 62, 21, purpose, 'soft'),
  at(109, 104, picture),
  box(20, 286, 338, 110, 'sunken'),
  lines(34, 357 - 11 * code.length, 22, shortCall(code), 'code'),
];

const TITLE =
  'The four mappings: private file, shared file, private anonymous, shared anonymous; what each is for, who sees changes, and the call that makes it';

const columnHead = (x, key, words) => [text(x, 24, key, 'code key'), text(x, 46, words, 'small soft')];

export const wide = () =>
  drawing({
    width: 976,
    height: 668,
    title: TITLE,
    parts: [
      columnHead(22, "sharing: 'private'", 'changes stay in this process'),
      columnHead(522, "sharing: 'shared'", 'changes reach everybody'),
      text(22, 82, "backing: 'file'", 'code key'),
      text(22, 380, "backing: 'anonymous'", 'code key'),
      CELLS.map((cell, i) => at(1 + (i % 2) * 500, i < 2 ? 94 : 392, wideCell(cell))),
    ],
  });

export const narrow = () =>
  drawing({
    width: 380,
    height: 4 * 424,
    title: TITLE,
    parts: CELLS.map((cell, i) => at(1, 1 + i * 424, narrowCell(cell))),
  });
