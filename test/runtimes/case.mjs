// RUNTIME case.mjs FILE NAME: one case, in a process of its own. Status 0: passed, 77: skipped.
import { Skipped } from './harness.mjs';

const [file, name] = process.argv.slice(2);
process.exitCode = 1; // where the loop ends before the case does
const { cases } = await import(new URL(`cases/${file}`, import.meta.url).href);
try {
  await cases[name]();
  process.exitCode = 0;
} catch (error) {
  if (error instanceof Skipped) {
    process.stdout.write(error.message);
    process.exitCode = 77;
  } else {
    console.error(error);
  }
}
