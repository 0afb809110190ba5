// Another process that does things to a file: hostile grow|cut|fill PATH PAGES SECONDS|ROUNDS SEED
//   grow  makes an empty file longer, a few pages at a time, until it has PAGES
//   cut   ROUNDS times: cuts the file anywhere and makes it whole again
//   fill  for SECONDS: fills the rest of the file system with another file, PATH.filler, and takes it away
// Prints "ready" first, and "done" last.
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static uint64_t seed;

static uint64_t below(uint64_t limit) {
  seed ^= seed << 13;
  seed ^= seed >> 7;
  seed ^= seed << 17;
  return seed % limit;
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void pause_for(uint64_t microseconds) {
  struct timespec time = {0, (long)(microseconds * 1000)};
  nanosleep(&time, NULL);
}

static void must(int result, const char* what) {
  if (result >= 0) return;
  perror(what);
  exit(1);
}

static void grow(int fd, long page, uint64_t pages) {
  for (uint64_t have = 0; have < pages;) {
    have += 1 + below(3);
    if (have > pages) have = pages;
    must(ftruncate(fd, (off_t)have * page), "ftruncate");
    if (below(8) == 0) pause_for(below(50));
  }
}

static void cut(int fd, long page, uint64_t pages, uint64_t rounds) {
  for (uint64_t i = 0; i < rounds; i++) {
    // never within a word, which would leave half of it
    must(ftruncate(fd, (off_t)(below(pages * (uint64_t)page) & ~(uint64_t)63)), "ftruncate");
    if (below(4) == 0) pause_for(below(100));
    must(ftruncate(fd, (off_t)pages * page), "ftruncate");
    if (below(4) == 0) pause_for(below(100));
  }
}

static void fill(const char* path, double seconds) {
  char name[4096];
  static char block[65536];
  snprintf(name, sizeof name, "%s.filler", path);
  const double end = now() + seconds;
  while (now() < end) {
    const int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    must(fd, "open");
    while (write(fd, block, sizeof block) > 0) {
    }
    pause_for(below(500));
    must(ftruncate(fd, 0), "ftruncate");
    close(fd);
    pause_for(below(100));
  }
  unlink(name);
}

int main(int argc, char** argv) {
  if (argc != 6) return 2;
  const long page = sysconf(_SC_PAGESIZE);
  const uint64_t pages = strtoull(argv[3], NULL, 10);
  const uint64_t amount = strtoull(argv[4], NULL, 10);
  seed = strtoull(argv[5], NULL, 10) * 2654435761u + 1;
  const int fd = open(argv[2], O_RDWR | O_CLOEXEC);
  must(fd, "open");
  puts("ready");
  fflush(stdout);
  if (strcmp(argv[1], "grow") == 0) grow(fd, page, pages);
  if (strcmp(argv[1], "cut") == 0) cut(fd, page, pages, amount);
  if (strcmp(argv[1], "fill") == 0) fill(argv[2], (double)amount);
  puts("done");
  return 0;
}
