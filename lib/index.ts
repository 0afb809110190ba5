/**
 * Linux's mmap(2): files and anonymous memory, private and shared, as typed arrays. `mmap()` is the one door.
 * @packageDocumentation
 */
export { allocZeroed, type AllocZeroedOptions } from './alloc.js';
export { type AdviseOptions, type LockOptions, type PopulateOptions, type SyncOptions } from './arguments.js';
export { attach } from './attach.js';
export { type Advice } from './constants.js';
export { type FaultMessage, type MapMessage, type SyncMessage, type UnmapMessage } from './diagnostics.js';
export { type ErrorCode, type SystemError } from './errors.js';
export { type FaultListener, type RefreshOptions, type Verdict } from './faults.js';
export { type MappingHandle } from './handle.js';
export { Mapping } from './mapping.js';
export { type Feature, type MappingInfo, mappings, type Smaps, supports } from './mappings.js';
export { mmap } from './mmap.js';
export { type FaultKind, type FaultRecord, type Refreshed } from './native.js';
export { type MappableFile } from './names.js';
export {
  type Access,
  type AnonymousMappingOptions,
  type FileMappingOptions,
  type MmapOptions,
  type Sharing,
} from './options.js';
export { type ByteRange } from './range.js';
export { type Residency } from './residency.js';
export { type ResizeOptions } from './resize.js';
export { unlink } from './unlink.js';
export { type SharedViewType, type ViewType } from './views.js';
