// limits NAME ARGUMENTS…: says when it is ready, then takes one number a line, does so many operations, and answers
// with one line of JSON: the time they took, and what the kernel counted.
// limits evict PATH: drops a file from the page cache and prints which share of it is left there.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "limits.h"

void (*After)(void) = NULL;

void Check(int good, const char* what) {
  if (good) return;
  perror(what);
  exit(1);
}

void Use(uint64_t value) {
  __asm__ volatile("" : : "r"(value) : "memory");
}

int OpenFile(const char* path) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  Check(fd >= 0, path);
  return fd;
}

size_t FileLength(int fd) {
  struct stat status;
  Check(fstat(fd, &status) == 0, "fstat");
  return (size_t)status.st_size;
}

void* MapFileWhole(const char* path, size_t* length) {
  const int fd = OpenFile(path);
  *length = FileLength(fd);
  void* base = mmap(NULL, *length, PROT_READ, MAP_PRIVATE, fd, 0);
  Check(base != MAP_FAILED, "mmap");
  close(fd);
  return base;
}

static int Evict(const char* path) {
  const int fd = OpenFile(path);
  const size_t length = FileLength(fd);
  const size_t pages = (length + PAGE - 1) / PAGE;
  Check(fdatasync(fd) == 0, "fdatasync");
  Check(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0, "posix_fadvise");
  void* base = mmap(NULL, length, PROT_READ, MAP_SHARED, fd, 0);
  unsigned char* resident = malloc(pages);
  Check(base != MAP_FAILED && mincore(base, length, resident) == 0, "mincore");
  size_t left = 0;
  for (size_t i = 0; i < pages; ++i) left += resident[i] & 1;
  printf("%f\n", (double)left / (double)pages);
  return 0;
}

static Work Find(const char* name, char** arguments) {
  const struct Limit* const tables[] = {kMappingLimits, kReadingLimits, kMemoryLimits};
  for (size_t t = 0; t < sizeof tables / sizeof *tables; ++t)
    for (const struct Limit* limit = tables[t]; limit->name != NULL; ++limit)
      if (strcmp(limit->name, name) == 0) return limit->setup(arguments);
  return NULL;
}

static double Now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void Turn(Work work, long operations) {
  struct rusage before, after;
  getrusage(RUSAGE_SELF, &before);
  const double start = Now();
  work(operations);
  const double ns = Now() - start;
  getrusage(RUSAGE_SELF, &after);
  if (After != NULL) After();
  printf("{\"ns\":%.0f,\"minorFaults\":%ld,\"majorFaults\":%ld}\n", ns, after.ru_minflt - before.ru_minflt,
         after.ru_majflt - before.ru_majflt);
}

int main(int count, char** arguments) {
  setvbuf(stdout, NULL, _IOLBF, 0);
  if (count == 3 && strcmp(arguments[1], "evict") == 0) return Evict(arguments[2]);
  const Work work = count < 2 ? NULL : Find(arguments[1], arguments + 2);
  if (work == NULL) {
    fprintf(stderr, "usage: limits NAME ARGUMENTS…\n");
    return 2;
  }
  printf("{\"ready\":true}\n");
  char line[32];
  while (fgets(line, sizeof line, stdin) != NULL) Turn(work, atol(line));
  return 0;
}
