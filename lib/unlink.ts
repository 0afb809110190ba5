import { unlinkSync } from 'node:fs';
import { sharedMemoryPath } from './names.js';

/**
 * Takes the name of named memory away: shm_unlink(3). Those who have it mapped keep it; who maps the name after this makes new memory.
 *
 * @param name - as it was given to `mmap()`: `'/x'`.
 * @throws ENOENT when there is no such name, EACCES, EPERM when it is another user's.
 */
export const unlink = (name: string): void => {
  unlinkSync(sharedMemoryPath(name, 'name'));
};
