import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export const withoutPreload: NodeJS.ProcessEnv = { ...process.env, LD_PRELOAD: '' };

/** A program in C, for what Node has no way to call. Returns its path. */
export const compile = (folder: string, source: string): string => {
  const program = join(folder, 'program');
  writeFileSync(`${program}.c`, source);
  const { status, stderr } = spawnSync('gcc', ['-o', program, `${program}.c`], { env: withoutPreload });
  if (status !== 0) throw new Error(String(stderr));
  return program;
};

/** F_SEAL_*, in the order of their bits. */
const NAMES = ['seal', 'shrink', 'grow', 'write', 'future-write', 'exec'];

/** The seals of a descriptor of this process: F_GET_SEALS. */
export const sealsOf = (fd: number, folder: string): string[] => {
  const program = compile(
    folder,
    `#define _GNU_SOURCE
     #include <fcntl.h>
     #include <stdio.h>
     int main(int count, char** words) {
       int fd = open(words[count - 1], O_RDONLY);
       printf("%d", fcntl(fd, F_GET_SEALS));
       return fd < 0;
     }`,
  );
  const { stdout } = spawnSync(program, [`/proc/${process.pid}/fd/${fd}`], { env: withoutPreload });
  return NAMES.filter((_, bit) => (Number(stdout) >> bit) & 1);
};

/** The flags of a descriptor of this process, as open(2) has them. */
export const openFlags = (fd: number): number =>
  Number.parseInt(/^flags:\s+(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '', 8);
