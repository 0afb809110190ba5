import { inspect } from 'node:util';
import { columns, humanBytes, humanTime, labelled, paint, wrap, wrapBesideLabel } from './terminal.mjs';

/** What proc(5) says of the flags. */
const FLAGS = {
  rd: 'readable',
  wr: 'writable',
  sh: 'shared',
  mr: 'may be made readable',
  mw: 'may be made writable',
  me: 'may be made executable',
  ms: 'may be shared',
  ac: 'counted as memory that may be needed',
  nr: 'no swap set aside',
  hg: 'huge pages asked for',
  sd: 'soft-dirty',
};

const FIELDS = ['size', 'rss', 'sharedClean', 'sharedDirty', 'privateClean', 'privateDirty', 'anonymous'];
const HEADS = ['Size', 'Rss', 'Shared_Clean', 'Shared_Dirty', 'Private_Clean', 'Private_Dirty', 'Anonymous'];

const claims = (all) =>
  all.flatMap(({ text, holds, expected, actual }) =>
    holds
      ? [`${paint('green', '✓')} ${text}`]
      : [`${paint('red', '✗')} ${text}`, `  expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`],
  );

const amount = ({ value, unit }) => (unit === 'ms' ? humanTime(value) : humanBytes(value));

const kernel = (looks) => {
  const rows = looks.map((look) => [look.when, ...FIELDS.map((field) => `${look[field] / 1024}`)]);
  const { line, vmFlags } = looks.at(-1);
  const told = vmFlags.filter((flag) => flag in FLAGS).map((flag) => `${flag} ${FLAGS[flag]}`);
  const merged = looks.some(({ alone }) => !alone);
  return [
    line.trimEnd().replaceAll(/ {2,}/g, '  '),
    ...columns([['kB', ...HEADS], ...rows]),
    ...wrapBesideLabel(`VmFlags: ${told.join(', ')}`),
    ...(merged ? ['(the kernel has joined it with a neighbour of its kind: the numbers are of both)'] : []),
  ];
};

/** One cell, for reading. */
export const printCell = (number, cell) => {
  const lines = [
    `${paint('bold', `${number}  ${cell.title}`)}`,
    wrap(cell.explanation),
    '',
    ...labelled('asked', paint('cyan', cell.asked)),
    ...labelled(
      'the call',
      cell.calls.map((call) => paint('yellow', call)),
    ),
    ...labelled('', paint('dim', `(${cell.callsFrom})`)),
    ...labelled('the kernel', kernel(cell.kernel)),
    ...labelled('what is held', columns(cell.held, 2)),
    ...labelled('checked', claims(cell.claims)),
    ...labelled('it cost', columns(cell.costs.map((cost) => [cost.what, amount(cost)]))),
    '',
  ];
  console.log(lines.join('\n'));
};

const searchRows = ({ results, lookups }) => [
  [
    '',
    'open',
    'count and search',
    `${lookups.toLocaleString('en')} bytes here and there`,
    'own memory',
    'mapped files',
  ],
  ...results.map(({ label, refused, took, memory }) =>
    refused === undefined
      ? [
          label,
          humanTime(took.open),
          humanTime(took.count),
          humanTime(took.look),
          humanBytes(memory.own),
          humanBytes(memory.cache),
        ]
      : [label, refused, '', '', '', ''],
  ),
];

/** What only a mapping does well, beside the other ways. */
export const printSearch = (size, found) => {
  const { lines, words } = found.results[0].found;
  const all = [
    paint('bold', '5  searching and counting in the whole file'),
    wrap(
      `${humanBytes(size)} have ${lines.toLocaleString('en')} line feeds and ${words.toLocaleString('en')} times the word
       "${found.word}". Each way to find that had a process of its own, with the file in the page cache.`,
    ),
    '',
    ...columns(searchRows(found)).map((row) => `   ${row}`),
    '',
    wrap(
      `Both memory columns are resident. Own memory is what this process alone needs: fs.readFile copies the file. Pages of
       mapped files are the page cache's own, there once for all processes, and the kernel takes them back when it needs them
       (a few MiB in each row are the program itself). To read everything once from front to back, a plain read into one buffer
       does as well; to look here and there, it needs a system call each time.`,
    ),
    '',
    ...labelled('checked', claims(found.claims)),
    '',
  ];
  console.log(all.join('\n'));
};

const faultsIn = (faults) =>
  faults
    .map(
      ({ kind, pages, writes, first }) => `${kind}, ${pages} page at byte ${first}${writes > 0 ? ', written to' : ''}`,
    )
    .join('; ');

const failed = ({ code, offset }) => (code === undefined ? 'done' : `${code}, offset ${offset}`);

/** A reader and a writer whose file was cut. */
export const printCut = ({ length, lives, dies, write, claims: all }) => {
  const { cut, verdict, whole, refused, refreshed, syncAgain, other } = write;
  const lost = `bytes[${write.place.offset}]`;
  const lines = [
    paint('bold', '6  the file is cut under a reader'),
    wrap(
      `Where a mapping has no file any more, the kernel sends SIGBUS at the next access, and that is the end of the process. This
       library takes the signal first: the page becomes zeros or a private copy, the access goes on, and the program is told.
       Twice another process reads ${humanBytes(length)}, over and
       over, and this one cuts the file to half of that meanwhile. Then
       another process cuts it, and this one writes behind the end.`,
    ),
    '',
    ...labelled('reading', [
      ...columns(
        [
          ['process', 'onFault', 'read all of it', 'then, at byte', 'faultCount', 'ended with'],
          [
            `${lives.pid}`,
            "'report'",
            `${lives.rounds} times`,
            `${lives.at}`,
            `${lives.faultCount}`,
            lives.signal ?? 'an answer',
          ],
          [`${dies.pid}`, "'signal'", '', '', '', `${dies.signal}`],
        ],
        2,
      ),
      `faults of process ${lives.pid}: ${faultsIn(lives.faults ?? [])}`,
    ]),
    ...labelled(
      'writing',
      columns(
        [
          [`process ${write.pid}`, `cut the file to ${cut.size} bytes`],
          [`${lost} = ${cut.value}`, `is kept in memory; it took ${humanTime(write.took)}`],
          ['faultCount, faults', `${write.faultCount}: ${faultsIn(write.faults)}`],
          ['sync()', failed(write.sync)],
          ['the file is whole again', `${lost} is ${whole.value}, the file has ${whole.read}`],
          ['verify()', inspect(verdict)],
          ['refresh()', failed(refused)],
          [
            "refresh({ lostWrites: 'write-back' })",
            `${refreshed.value?.pages ?? refreshed.code} page is the file's again`,
          ],
          ['sync()', failed(syncAgain)],
          [`process ${other.pid}`, `finds ${other.read} in the file`],
        ],
        2,
      ),
    ),
    ...labelled('checked', claims(all)),
    '',
  ];
  console.log(lines.join('\n'));
};

const TABLE = [
  ['', 'private: my changes are mine', 'shared: everybody sees them'],
  ['file', '1  read a file as memory', '2  change a file as memory'],
  ['anonymous', '3  fresh, zeroed memory', '4  memory between processes'],
];

/** What there is to see. */
export const printIntroduction = (file, size) => {
  const lines = [
    paint('bold', `Memory-mapped files and anonymous memory, shown with ${file} (${humanBytes(size)})`),
    '',
    wrap(
      `A mapping gives something an address: then it is read and written like any other memory, without a system call. mmap(2)
       asks two things. What is behind the addresses, a file or nothing (zeros)? And whose are the changes, this process's alone
       or everybody's? That makes four mappings.`,
    ),
    '',
    ...columns(TABLE, 3).map((row, i) => `   ${i === 0 ? paint('dim', row) : row}`),
    '',
  ];
  console.log(lines.join('\n'));
};
