export { allocZeroed, type AllocZeroedOptions } from './alloc.js';
export { attach } from './attach.js';
export { type Advice } from './constants.js';
export { type ErrorCode, type SystemError } from './errors.js';
export { type FaultListener } from './faults.js';
export { type MappingHandle } from './handle.js';
export {
  type AdviseOptions,
  type LockOptions,
  Mapping,
  type PopulateOptions,
  type RefreshOptions,
  type Residency,
  type SyncOptions,
  type Verdict,
} from './mapping.js';
export { type Feature, type MappingInfo, mappings, type Smaps, supports } from './mappings.js';
export { mmap } from './mmap.js';
export { type FaultKind, type FaultRecord, type Refreshed } from './native.js';
export {
  type Access,
  type AnonymousMappingOptions,
  type FileMappingOptions,
  type MappableFile,
  type MmapOptions,
  type Sharing,
} from './options.js';
export { type ByteRange } from './range.js';
export { type ResizeOptions } from './resize.js';
export { type SharedViewType, type ViewType } from './views.js';
