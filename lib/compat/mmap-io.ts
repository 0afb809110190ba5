/**
 * The interface of the packages mmap-io and @riaskov/mmap-io, made of Mappings: for programs that change one import. What is
 * new should use `mmap()`; docs/migration.md has both side by side.
 *
 * @module
 */
import * as mmapIo from './calls.js';

export * from './calls.js';
export default mmapIo;
