/**
 * Waiting, locks, queues and channels between threads and processes that share a mapping: docs/ipc.md says which for what.
 * @packageDocumentation
 */
export { Consumer, type ReadOptions, type ReadSyncOptions, type Visit } from './consumer.js';
export { type IpcErrorCode } from './errors.js';
export { Mutex, type MutexGuard, type MutexOptions } from './mutex.js';
export { type TimeoutOptions, type WaitOptions } from './options.js';
export { type PeerState } from './presence.js';
export { Producer } from './producer.js';
export { Queue, type QueueHandle, type QueueOptions } from './queue.js';
export { Semaphore, type SemaphoreOptions } from './semaphore.js';
export { notify, wait, waitSync, type WaitResult } from './words.js';
export { Channel, type ChannelCreateOptions, type ChannelHandle, type ChannelOptions, type Codec } from './channel.js';
export { duplexOf, readableOf, type StreamPair, webStreamsOf, writableOf } from './streams.js';
