// node examples/clients/safetensors.mjs    a layer of a model, as a window of its file, in four processes
import assert from 'node:assert/strict';
import { closeSync, openSync, readFileSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { mmap } from 'mmap-native';
import { compare, run, short, temporaryFolder } from './lib/common.mjs';

// A safetensors file is the length of the header (64 bits), the header in JSON, and the tensors. The header says of each tensor
// its type, its shape, and from where to where it lies, counted from the end of the header.
const PREFIX = 8;
const TYPES = { F64: Float64Array, F32: Float32Array, I32: Int32Array, U16: Uint16Array, U8: Uint8Array };

class Tensors {
  #mapping;
  #header;
  #start;

  constructor(file) {
    this.#mapping = mmap({ backing: 'file', sharing: 'private', file });
    const length = Number(this.#mapping.view(DataView, 0, PREFIX).getBigUint64(0, true));
    this.#header = JSON.parse(this.#mapping.text({ offset: PREFIX, length }));
    this.#start = PREFIX + length;
  }

  get(name) {
    const { dtype, data_offsets: offsets } = this.#header[name];
    const Type = TYPES[dtype];
    const offset = this.#start + offsets[0];
    const length = offsets[1] - offsets[0];
    if (offset % Type.BYTES_PER_ELEMENT === 0) return this.#mapping.view(Type, offset, length);
    // a header may have any length, but typed arrays must be aligned: this tensor, and no other, is copied
    const copy = new Type(length / Type.BYTES_PER_ELEMENT);
    this.#mapping.read(copy, { offset });
    return copy;
  }

  close() {
    return this.#mapping.unmap();
  }
}

const PROCESSES = 4;
const LAYERS = short ? 8 : 64;
const WIDTH = 2048;
const WANTED = `layer.${LAYERS / 2}.weight`;

const weight = (layer, row, column) => (layer + row + column) % 13;

/** Square layers of 16 MiB. The header is filled up with spaces to a multiple of `alignment`. */
const writeModel = (file, layers, alignment) => {
  const bytes = WIDTH * WIDTH * Float32Array.BYTES_PER_ELEMENT;
  const entry = (_, layer) => [
    `layer.${layer}.weight`,
    { dtype: 'F32', shape: [WIDTH, WIDTH], data_offsets: [layer * bytes, (layer + 1) * bytes] },
  ];
  const json = JSON.stringify(Object.fromEntries(Array.from({ length: layers }, entry)));
  const header = Buffer.from(json.padEnd(Math.ceil(json.length / alignment) * alignment));
  const prefix = Buffer.alloc(PREFIX);
  prefix.writeBigUInt64LE(BigInt(header.length));
  const fd = openSync(file, 'w');
  writeSync(fd, prefix);
  writeSync(fd, header);
  const tensor = new Float32Array(WIDTH * WIDTH);
  for (let layer = 0; layer < layers; layer++) {
    for (let i = 0; i < tensor.length; i++) tensor[i] = weight(layer, Math.floor(i / WIDTH), i % WIDTH);
    writeSync(fd, tensor);
  }
  closeSync(fd);
};

/** The layer times a vector of ones, added up. */
const apply = (tensor) => tensor.reduce((sum, value) => sum + value, 0);

const ways = {
  mapped(file) {
    const model = new Tensors(file);
    return { answer: apply(model.get(WANTED)), keep: model };
  },

  readFile(file) {
    const bytes = readFileSync(file);
    const start = PREFIX + Number(bytes.readBigUInt64LE());
    const { data_offsets: offsets } = JSON.parse(bytes.toString('utf8', PREFIX, start))[WANTED];
    const tensor = new Float32Array(bytes.buffer, bytes.byteOffset + start + offsets[0], WIDTH * WIDTH);
    return { answer: apply(tensor), keep: bytes };
  },
};

await run(ways, async () => {
  const folder = temporaryFolder();
  const file = join(folder, 'model.safetensors');
  writeModel(file, LAYERS, 8);
  let expected = 0;
  for (let i = 0; i < WIDTH * WIDTH; i++) expected += weight(LAYERS / 2, Math.floor(i / WIDTH), i % WIDTH);
  console.log(`1 of ${LAYERS} layers, of ${(statSync(file).size / 1e6).toFixed(0)} MB, in ${PROCESSES} processes:`);
  for (const way of Object.keys(ways))
    assert.deepEqual(await compare(way, PROCESSES, file), Array(PROCESSES).fill(expected));

  const odd = join(folder, 'odd.safetensors');
  writeModel(odd, 1, 97);
  const model = new Tensors(odd);
  assert.equal(model.get('layer.0.weight')[5], weight(0, 0, 5));
  await model.close();
});
