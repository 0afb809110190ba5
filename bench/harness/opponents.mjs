// Every other way to mmap from JavaScript, each as its own documentation has it, and as fast as it can be made.
import { createRequire } from 'node:module';
import { Unavailable } from './library.mjs';

// not named require: the linter would follow it into what is installed here or is not
const load = createRequire(import.meta.url);
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

/** mmap and munmap of libc through koffi, addresses as numbers, an ArrayBuffer by koffi.view(). */
export const koffiMmap = () => {
  const koffi = load('koffi');
  const libc = koffi.load(null);
  const map = libc.func('void *mmap(void *, size_t, int, int, int, int64_t)');
  const unmap = libc.func('int munmap(void *, size_t)');
  return {
    anonymous: (length) => map(null, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
    file: (fd, length, offset = 0) => map(null, length, PROT_READ, MAP_PRIVATE, fd, offset),
    unmap,
    buffer: (address, length) => koffi.view(address, length),
  };
};

/** The same through node:ffi, which Node 26 has behind a flag. Pointers are BigInts. */
export const ffiMmap = () => {
  const ffi = load('node:ffi');
  const { functions } = ffi.dlopen(null, {
    mmap: { arguments: ['pointer', 'u64', 'i32', 'i32', 'i32', 'i64'], return: 'pointer' },
    munmap: { arguments: ['pointer', 'u64'], return: 'i32' },
  });
  return {
    anonymous: (length) =>
      functions.mmap(0n, BigInt(length), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0n),
    file: (fd, length, offset = 0n) => functions.mmap(0n, BigInt(length), PROT_READ, MAP_PRIVATE, fd, offset),
    unmap: (address, length) => functions.munmap(address, BigInt(length)),
    buffer: (address, length) => ffi.toArrayBuffer(address, length, false),
  };
};

/** Built against one version of V8: it runs on the node that installed it, with a compiler and Node's headers. */
export const mmapIo = () => {
  try {
    return load('@riaskov/mmap-io');
  } catch (error) {
    throw new Unavailable(`@riaskov/mmap-io is not built here: ${error.code}`);
  }
};
