export { type IpcErrorCode } from './errors.js';
export { Mutex, type MutexGuard, type MutexOptions } from './mutex.js';
export { type TimeoutOptions, type WaitOptions } from './options.js';
export { Semaphore, type SemaphoreOptions } from './semaphore.js';
export { notify, wait, waitSync, type WaitResult } from './words.js';
