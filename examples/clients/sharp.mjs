// node examples/clients/sharp.mjs    a native library (libvips, by sharp) cuts a tile out of a huge raw image, which it does not read
import assert from 'node:assert/strict';
import { closeSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { mmap } from 'mmap-native';
import sharp from 'sharp';
import { compare, run, short, temporaryFolder } from './lib/common.mjs';

const PROCESSES = 2;
/** One byte a pixel. */
const WIDTH = short ? 8192 : 32_768;
const TILE = { left: WIDTH / 2, top: WIDTH / 2, width: 256, height: 256 };

const raw = { width: WIDTH, height: WIDTH, channels: 1 };
const tileOf = (bytes) => sharp(bytes, { raw, limitInputPixels: false }).extract(TILE).toColourspace('b-w').raw();
const brightness = (x, y) => (x ^ y) & 0xff;

/** A tile that is bright, in an image that is a hole otherwise. */
const writeImage = (file) => {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, WIDTH * WIDTH);
  for (let y = 0; y < TILE.height; y++) {
    const row = Uint8Array.from({ length: TILE.width }, (_, x) => brightness(x, y));
    writeSync(fd, row, 0, row.length, (TILE.top + y) * WIDTH + TILE.left);
  }
  closeSync(fd);
};

const ways = {
  async mapped(file) {
    const mapping = mmap({ backing: 'file', sharing: 'private', file });
    const tile = await tileOf(mapping.bytes).toBuffer();
    return { answer: tile.toString('base64'), keep: mapping };
  },

  async readFile(file) {
    const bytes = readFileSync(file);
    const tile = await tileOf(bytes).toBuffer();
    return { answer: tile.toString('base64'), keep: bytes };
  },
};

await run(ways, async () => {
  const file = join(temporaryFolder(), 'image.raw');
  writeImage(file);
  const expected = Buffer.from(
    Uint8Array.from({ length: TILE.width * TILE.height }, (_, i) =>
      brightness(i % TILE.width, Math.floor(i / TILE.width)),
    ),
  ).toString('base64');
  console.log(`a tile of an image of ${WIDTH} x ${WIDTH} pixels, in ${PROCESSES} processes:`);
  for (const way of Object.keys(ways))
    assert.deepEqual(await compare(way, PROCESSES, file), Array(PROCESSES).fill(expected));

  // sharp has no copy: what is written to the file after it was given the Buffer is in the tile
  const mapping = mmap({ backing: 'file', sharing: 'shared', access: 'readwrite', file });
  const later = tileOf(mapping.bytes);
  mapping.bytes[TILE.top * WIDTH + TILE.left] = 200;
  const [first] = await later.toBuffer();
  assert.equal(first, 200);
  await mapping.unmap();
});
