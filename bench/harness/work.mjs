// What contestants do with the bytes that they got. The C side does the same. The length is read once: where native code has
// made a Buffer (http does), Node 24 calls a function for each `.length` of a typed array in a loop.

/** In the order they lie in, as C has to without -ffast-math. */
export const sumNumbers = (numbers) => {
  const { length } = numbers;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += numbers[i];
  return sum;
};

export const numbersOf = (bytes) => new Float64Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 8);

const PAGE = 4096;

/** One byte of each page. */
export const touchPages = (bytes, from = 0, to = bytes.length) => {
  let sum = 0;
  for (let at = from; at < to; at += PAGE) sum += bytes[at];
  return sum;
};

/** Makes each page this process's own. */
export const dirtyPages = (bytes, value) => {
  const { length } = bytes;
  for (let at = 0; at < length; at += PAGE) bytes[at] = value;
};

/** Some run once a turn, and would still be interpreted then: they are run until the compiler must have come to them. */
const WARM_MS = 100;
const warm = (work, memory) => {
  const end = performance.now() + WARM_MS;
  while (performance.now() < end) work(memory, 0);
};
warm(sumNumbers, new Float64Array(1024));
warm(touchPages, new Uint8Array(64 * PAGE));
warm(dirtyPages, new Uint8Array(64 * PAGE));
