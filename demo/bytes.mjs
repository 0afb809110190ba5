import { createHash } from 'node:crypto';
import { closeSync, openSync, readSync } from 'node:fs';

export const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');

export const digest = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Changes every bit: whatever was there, it is something else now. */
export const invert = (bytes) => {
  for (let i = 0; i < bytes.length; i++) bytes[i] ^= 0xff;
};

/** Up to 16 bytes in the middle of a file, all of them on one page. */
export const middleOf = (size) => {
  const offset = Math.floor(size / 32) * 16;
  const length = Math.min(16, size - offset);
  return { offset, length, text: `${length} in the middle, from offset ${offset.toLocaleString('en')}` };
};

/** What read(2) finds in a file. */
export const readHex = (file, { offset, length }) => {
  const fd = openSync(file, 'r');
  try {
    const bytes = Buffer.alloc(length);
    readSync(fd, bytes, 0, length, offset);
    return hex(bytes);
  } finally {
    closeSync(fd);
  }
};
