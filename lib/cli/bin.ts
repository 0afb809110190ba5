#!/usr/bin/env node
import { run } from './run.js';

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  columns: process.stdout.columns ?? 80,
});
