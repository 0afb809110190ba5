/** The code blocks of a page, or of the doc comments of a source. */
export const blocksOf = ({ path, text }) => {
  const lines = text.split('\n').map((line) => (path.endsWith('.ts') ? line.replace(/^\s*\* ?/, '') : line));
  const blocks = [];
  let open;
  for (const [i, line] of lines.entries()) {
    const fence = /^\s*```(\S*)\s*(.*)$/.exec(line);
    if (fence === null) {
      open?.code.push(line);
    } else if (open === undefined) {
      open = { where: `${path}:${i + 1}`, language: fence[1], noRun: fence[2] === 'no-run', code: [] };
    } else {
      blocks.push({ ...open, code: open.code.join('\n') });
      open = undefined;
    }
  }
  return blocks.filter(({ language }) => ['js', 'ts', 'sh'].includes(language));
};

/** What a block says that it prints, in this order. */
export const printsOf = ({ code }) =>
  [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].map(([, expected]) => expected);
