// Mapping and unmapping.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "limits.h"

static size_t length_;
static size_t window_;
static int fd_;
static const char* path_;

static void* MapOrDie(size_t length, int prot, int flags, int fd) {
  void* base = mmap(NULL, length, prot, flags, fd, 0);
  Check(base != MAP_FAILED, "mmap");
  return base;
}

static void MapUnmap(long operations) {
  for (long i = 0; i < operations; ++i)
    munmap(MapOrDie(length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1), length_);
}

static Work SetUpMapUnmap(char** arguments) {
  length_ = strtoull(arguments[0], NULL, 10);
  return MapUnmap;
}

static uint64_t TouchPages(const char* base, size_t length) {
  uint64_t sum = 0;
  for (size_t at = 0; at < length; at += PAGE) sum += (unsigned char)base[at];
  return sum;
}

// mmap the whole file, one byte of each page of a window in the middle, munmap
static void MapLookUnmap(long operations) {
  for (long i = 0; i < operations; ++i) {
    char* base = MapOrDie(length_, PROT_READ, MAP_PRIVATE, fd_);
    Use(TouchPages(base + length_ / 2, window_));
    munmap(base, length_);
  }
}

static Work SetUpMapLookUnmap(char** arguments) {
  fd_ = OpenFile(arguments[0]);
  length_ = FileLength(fd_);
  window_ = strtoull(arguments[1], NULL, 10);
  return MapLookUnmap;
}

static void MapUnmapFile(long operations) {
  for (long i = 0; i < operations; ++i) munmap(MapOrDie(PAGE, PROT_READ, MAP_PRIVATE, fd_), PAGE);
}

// The same beside so many mappings of the same page, which the kernel cannot merge.
static Work SetUpMapBeside(char** arguments) {
  fd_ = OpenFile(arguments[0]);
  for (long live = atol(arguments[1]); live > 0; --live) MapOrDie(PAGE, PROT_READ, MAP_PRIVATE, fd_);
  return MapUnmapFile;
}

// mmap and munmap with what unmap() does in between where JavaScript has seen the memory: late readers find nothing of
// it
static void MapDecommitUnmap(long operations) {
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS;
  for (long i = 0; i < operations; ++i) {
    void* base = MapOrDie(length_, PROT_READ | PROT_WRITE, flags, -1);
    Check(mmap(base, length_, PROT_NONE, flags | MAP_NORESERVE | MAP_FIXED, -1, 0) == base, "mmap");
    munmap(base, length_);
  }
}

static Work SetUpMapDecommitUnmap(char** arguments) {
  length_ = strtoull(arguments[0], NULL, 10);
  return MapDecommitUnmap;
}

static int OpenAndStat(void) {
  const int fd = OpenFile(path_);
  length_ = FileLength(fd);
  return fd;
}

static void FirstByteMapped(long operations) {
  for (long i = 0; i < operations; ++i) {
    const int fd = OpenAndStat();
    const char* base = MapOrDie(length_, PROT_READ, MAP_PRIVATE, fd);
    close(fd);
    Use((uint64_t)base[0]);
    munmap((void*)base, length_);
  }
}

static void FirstByteRead(long operations) {
  for (long i = 0; i < operations; ++i) {
    char byte = 0;
    const int fd = OpenFile(path_);
    Check(pread(fd, &byte, 1, 0) == 1, "pread");
    close(fd);
    Use((uint64_t)byte);
  }
}

static Work SetUpFirstByteMapped(char** arguments) {
  path_ = arguments[0];
  return FirstByteMapped;
}

static Work SetUpFirstByteRead(char** arguments) {
  path_ = arguments[0];
  return FirstByteRead;
}

const struct Limit kMappingLimits[] = {
    {"map-unmap", SetUpMapUnmap},
    {"map-beside", SetUpMapBeside},
    {"map-decommit-unmap", SetUpMapDecommitUnmap},
    {"map-look-unmap", SetUpMapLookUnmap},
    {"first-byte-mapped", SetUpFirstByteMapped},
    {"first-byte-read", SetUpFirstByteRead},
    {NULL, NULL},
};
