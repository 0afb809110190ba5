// Zero-filled memory, and writing back.
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "limits.h"

static size_t length_;
static int huge_;
static char* base_;

// An operation a turn, because giving the memory back is not part of the time.
static void ZeroFilled(long operations) {
  Check(operations == 1, "one operation a turn");
  base_ = mmap(NULL, length_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  Check(base_ != MAP_FAILED, "mmap");
  if (huge_) Check(madvise(base_, length_, MADV_HUGEPAGE) == 0, "madvise");
  for (size_t at = 0; at < length_; at += PAGE) base_[at] = 1;
}

static void GiveBack(void) {
  munmap(base_, length_);
}

static Work SetUpZeroFilled(char** arguments) {
  length_ = strtoull(arguments[0], NULL, 10);
  huge_ = strcmp(arguments[1], "huge") == 0;
  After = GiveBack;
  return ZeroFilled;
}

// An operation: one byte of one page is changed, and written to the disk.
static void SyncPage(long operations) {
  for (long i = 0; i < operations; ++i) {
    char* page = base_ + length_ / 2;
    ++*page;
    Check(msync(page, PAGE, MS_SYNC) == 0, "msync");
  }
}

static Work SetUpSyncPage(char** arguments) {
  const int fd = open(arguments[0], O_RDWR | O_CLOEXEC);
  Check(fd >= 0, arguments[0]);
  length_ = FileLength(fd);
  base_ = mmap(NULL, length_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  Check(base_ != MAP_FAILED, "mmap");
  return SyncPage;
}

const struct Limit kMemoryLimits[] = {
    {"zero-filled", SetUpZeroFilled},
    {"sync-page", SetUpSyncPage},
    {NULL, NULL},
};
