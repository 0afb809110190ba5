// node case.mjs FILE TITLE: one case, in a process of its own. Status 0: passed, 77: skipped.
import { Skipped, used } from './harness.mjs';

const [file, title] = process.argv.slice(2);
process.exitCode = 1; // where the loop ends before the case does
const { cases } = await import(new URL(`cases/${file}`, import.meta.url).href);
const { on, body } = cases[title];
try {
  await body();
  const unused = on.filter((name) => !used.has(name));
  if (unused.length > 0) throw new Error(`it says that it ran on ${unused.join(', ')}, and did not`);
  process.exitCode = 0;
} catch (error) {
  if (error instanceof Skipped) {
    process.stdout.write(error.message);
    process.exitCode = 77;
  } else {
    console.error(error);
  }
}
