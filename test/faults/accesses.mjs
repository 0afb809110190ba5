// Every way to touch bytes that JavaScript has, as functions of a Buffer: over a mapping whose file was cut, and over plain memory
// with the bytes that are defined for it, they must have the same result.
import {
  createCipheriv,
  createHash,
  createHmac,
  pbkdf2,
  randomFill,
  randomFillSync,
  scrypt,
  webcrypto,
} from 'node:crypto';
import { promisify } from 'node:util';
import * as zlib from 'node:zlib';

export const PAGE = 4096;
export const PAGES = 16;
/** Of the file that is left: five pages, and a part of the sixth. */
export const LEFT = 5 * PAGE + 100;

const typed = {
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array,
};
const over = (Type, b) => new Type(b.buffer, b.byteOffset, b.length / Type.BYTES_PER_ELEMENT);
const view = (b) => new DataView(b.buffer, b.byteOffset, b.length);
const digest = (b) => createHash('sha256').update(b).digest('hex');
const ENCODINGS = ['latin1', 'ascii', 'hex', 'base64', 'base64url', 'utf16le', 'utf8'];

/** What only reads. */
export const reads = {};
/** What writes: the bytes afterwards are compared too. */
export const writes = {};

for (const [name, Type] of Object.entries(typed)) {
  reads[`${name}, each element`] = (b) => {
    const array = over(Type, b);
    let last = array[0];
    let changes = 0;
    for (let i = 0; i < array.length; i++) {
      if (array[i] !== last) changes++;
      last = array[i];
    }
    return [changes, String(last)];
  };
  writes[`${name}, each element`] = (b) => {
    const array = over(Type, b);
    const one = typeof array[0] === 'bigint' ? 1n : 1;
    for (let i = 0; i < array.length; i += 3) array[i] = one;
  };
}
Object.assign(reads, {
  'an optimised loop that the cut comes upon': (b, cut) => {
    const sum = (from, to) => {
      let total = 0;
      for (let i = from; i < to; i++) total += b[i];
      return total;
    };
    for (let i = 0; i < 50; i++) sum(0, 4 * PAGE);
    cut?.();
    return sum(0, LEFT) + sum(LEFT, b.length);
  },
  'DataView, also across the edge of two pages': (b) => {
    const data = view(b);
    const found = [];
    for (let page = 4; page < PAGES; page++)
      for (let at = page * PAGE - 7; at <= page * PAGE && at + 8 <= b.length; at++)
        found.push(data.getFloat64(at), data.getUint32(at, true), data.getInt16(at), String(data.getBigUint64(at)));
    return found.map(String).join();
  },
  'Atomics.load': (b) =>
    Array.from({ length: PAGES }, (_, page) => Atomics.load(over(Int32Array, b), page * 1024)).join(),
  'Atomics.load of 64 bits': (b) =>
    Array.from({ length: PAGES }, (_, page) => String(Atomics.load(over(BigInt64Array, b), page * 512 + 1))).join(),
  'Buffer.readX, unaligned': (b) => [
    b.readDoubleLE(6 * PAGE - 3),
    b.readUIntBE(7 * PAGE - 3, 6),
    b.readInt32BE(LEFT - 2),
  ],
  indexOf: (b) => [
    b.indexOf('b'),
    b.indexOf(0),
    b.indexOf(Buffer.from('ab')),
    b.indexOf('a\0', 'latin1'),
    b.includes('xyz'),
  ],
  lastIndexOf: (b) => [b.lastIndexOf('a'), b.lastIndexOf(Buffer.from('aaaa'))],
  compare: (b) => [Buffer.compare(b, Buffer.alloc(b.length, 'a')), b.equals(Buffer.alloc(b.length)), b.compare(b)],
  'copy out of': (b) => {
    const copy = Buffer.alloc(b.length);
    b.copy(copy);
    return digest(copy);
  },
  'set() from': (b) => {
    const copy = new Uint8Array(b.length);
    copy.set(b);
    return digest(copy);
  },
  'slice()': (b) => digest(Uint8Array.prototype.slice.call(b, 100)),
  'Buffer.concat': (b) => digest(Buffer.concat([b, b])),
  'Array.from and join': (b) => digest(Buffer.from(Array.from(over(Uint32Array, b)).join())),
  'every, reduce, find': (b) => [b.every((x) => x < 98), b.reduce((x, y) => x + y, 0), b.findIndex((x) => x === 0)],
  'sort of a copy': (b) => digest(over(Uint8Array, b).toSorted()),
  structuredClone: (b) => digest(structuredClone(new Uint8Array(b.buffer, b.byteOffset, b.length))),
  'JSON.stringify': (b) => JSON.stringify(b.subarray(3 * PAGE, 7 * PAGE)).length,
  ...Object.fromEntries(ENCODINGS.map((name) => [`toString('${name}')`, (b) => digest(Buffer.from(b.toString(name)))])),
  TextDecoder: (b) =>
    ['utf-8', 'utf-16le', 'latin1'].map((name) => digest(Buffer.from(new TextDecoder(name).decode(b)))).join(),
  hashes: (b) => ['md5', 'sha1', 'sha512'].map((name) => createHash(name).update(b).digest('hex')).join(),
  hmac: (b) => createHmac('sha256', 'key').update(b).digest('hex'),
  cipher: (b) => {
    const cipher = createCipheriv('aes-256-ctr', Buffer.alloc(32, 1), Buffer.alloc(16, 2));
    return digest(Buffer.concat([cipher.update(b), cipher.final()]));
  },
  'deflate and gzip': (b) => [digest(zlib.inflateSync(zlib.deflateSync(b))), zlib.gzipSync(b).length],
  crc32: (b) => zlib.crc32?.(b) ?? 0,
  'gzip in the thread pool': async (b) => digest(await promisify(zlib.gunzip)(await promisify(zlib.gzip)(b))),
  'brotli in the thread pool': async (b) => (await promisify(zlib.brotliCompress)(b)).length,
  'pbkdf2 and scrypt in the thread pool': async (b) => [
    (await promisify(pbkdf2)(b, b.subarray(6 * PAGE), 1, 32, 'sha256')).toString('hex'),
    (await promisify(scrypt)(b.subarray(5 * PAGE, 7 * PAGE), b.subarray(9 * PAGE, 10 * PAGE), 32, { N: 2 })).toString(
      'hex',
    ),
  ],
  'subtle.digest': async (b) => Buffer.from(await webcrypto.subtle.digest('SHA-256', b)).toString('hex'),
  'a WebAssembly module': (b) => {
    try {
      WebAssembly.Module.exports(new WebAssembly.Module(b.subarray(8 * PAGE)));
      return true;
    } catch (error) {
      return error instanceof WebAssembly.CompileError;
    }
  },
});
Object.assign(writes, {
  'DataView, also across the edge of two pages': (b) => {
    const data = view(b);
    for (let page = 4; page < PAGES; page++) {
      data.setFloat64(page * PAGE - 4, Math.PI);
      data.setBigUint64(page * PAGE + 9, 0x0102030405060708n, true);
      data.setInt16(page * PAGE + 101, -2);
    }
  },
  'Atomics.store, add, exchange, compareExchange': (b) => {
    const words = over(Int32Array, b);
    const results = [];
    for (let page = 0; page < PAGES; page++) {
      Atomics.store(words, page * 1024, page);
      results.push(Atomics.add(words, page * 1024, 5), Atomics.exchange(words, page * 1024 + 1, 7));
      results.push(Atomics.compareExchange(words, page * 1024 + 2, 0, 9), Atomics.or(words, page * 1024 + 3, 1));
    }
    return results;
  },
  'Atomics.add of 64 bits': (b) => String(Atomics.add(over(BigInt64Array, b), 6 * 512, 5n)),
  fill: (b) => void b.fill('xyz', 3 * PAGE + 1, 12 * PAGE - 1),
  'copy into': (b) => Buffer.alloc(9 * PAGE, 'c').copy(b, 2 * PAGE + 5),
  copyWithin: (b) => void b.copyWithin(3 * PAGE + 3, 5 * PAGE, 9 * PAGE),
  'set()': (b) => void b.set(new Uint8Array(9 * PAGE).fill(100), 2 * PAGE + 5),
  'write()': (b) => ENCODINGS.slice(0, 2).map((name) => b.write('text'.repeat(4000), 4 * PAGE, name)),
  'writeX, unaligned': (b) => [b.writeDoubleBE(0.5, 6 * PAGE - 3), b.writeUIntLE(0x010203040506, 7 * PAGE - 3, 6)],
  swap: (b) => void [b.swap16(), b.swap32(), b.swap64()],
  reverse: (b) => {
    b.reverse();
  },
  sort: (b) => {
    const numbers = over(Int32Array, b);
    numbers[0] = 0x7fffffff; // or some find nothing to do
    numbers.sort();
  },
  encodeInto: (b) => new TextEncoder().encodeInto('é'.repeat(8000), b.subarray(4 * PAGE)).written,
});

/** What fills with bytes that nobody can know: only that they came. */
export const fills = {
  randomFillSync: (b) => void randomFillSync(b),
  'randomFill in the thread pool': (b) => promisify(randomFill)(b),
  getRandomValues: (b) => void webcrypto.getRandomValues(b.subarray(0, 65_536)),
};

/** The bytes of the cut file, as far as the mapping goes. */
export const reference = () => Buffer.from(new ArrayBuffer(PAGES * PAGE)).fill('a', 0, LEFT);
