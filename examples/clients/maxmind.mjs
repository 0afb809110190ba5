// node examples/clients/maxmind.mjs    an IP database that four processes have once: by mapping it, and by maxmind.open()
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { open, Reader } from 'maxmind';
import { mmap } from 'mmap-native';
import { compare, randomNumbers, run, short } from './lib/common.mjs';

const PROCESSES = 4;
const LOOKUPS = short ? 20_000 : 500_000;

/** Looks addresses up; how many of them each country has. */
const countriesOf = (reader) => {
  const random = randomNumbers(7);
  const counts = {};
  for (let i = 0; i < LOOKUPS; i++) {
    const address = Array.from({ length: 4 }, () => Math.floor(random() * 256)).join('.');
    const country = reader.get(address)?.country_code ?? 'none';
    counts[country] = (counts[country] ?? 0) + 1;
  }
  return { counts, known: reader.get('8.8.8.8').country_code };
};

const ways = {
  mapped(file) {
    const mapping = mmap({ backing: 'file', sharing: 'private', file });
    const reader = new Reader(mapping.bytes, { cache: new Map() }); // as open() has one
    assert.equal(reader.db.buffer, mapping.buffer);
    return { answer: countriesOf(reader), keep: reader };
  },

  async 'maxmind.open()'(file) {
    const reader = await open(file);
    return { answer: countriesOf(reader), keep: reader };
  },
};

await run(ways, async () => {
  const url = import.meta.resolve('@ip-location-db/geo-whois-asn-country-mmdb/geo-whois-asn-country.mmdb');
  console.log(`${LOOKUPS} addresses in each of ${PROCESSES} processes:`);
  const answers = [];
  for (const way of Object.keys(ways)) answers.push(...(await compare(way, PROCESSES, fileURLToPath(url))));

  const [{ counts, known }] = answers;
  assert.equal(known, 'US');
  assert.equal(
    Object.values(counts).reduce((sum, count) => sum + count),
    LOOKUPS,
  );
  for (const answer of answers) assert.deepEqual(answer, answers[0]);
});
