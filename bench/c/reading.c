// Reading what is mapped, and reading with pread.
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "limits.h"

#define RECORD 64

static const char* base_;
static size_t length_;
static int fd_;
static double* buffer_;
static size_t chunk_;
static uint32_t state_ = 1;

// The contestants in JavaScript draw the same numbers.
static uint32_t Draw(void) {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 17;
  state_ ^= state_ << 5;
  return state_;
}

static double SumNumbers(const double* numbers, size_t count) {
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += numbers[i];
  return sum;
}

static double SumRecord(const double* record) {
  double sum = 0;
  for (int i = 0; i < RECORD / 8; ++i) sum += record[i];
  return sum;
}

// An operation: the eight numbers at a random multiple of 64 bytes.
static void RandomReads(long operations) {
  const uint32_t mask = (uint32_t)(length_ / RECORD) - 1;
  double sum = 0;
  for (long i = 0; i < operations; ++i) sum += SumRecord((const double*)(base_ + (size_t)(Draw() & mask) * RECORD));
  Use((uint64_t)sum);
}

static void RandomPreads(long operations) {
  const uint32_t mask = (uint32_t)(length_ / RECORD) - 1;
  double sum = 0;
  double record[RECORD / 8];
  for (long i = 0; i < operations; ++i) {
    Check(pread(fd_, record, RECORD, (off_t)(Draw() & mask) * RECORD) == RECORD, "pread");
    sum += SumRecord(record);
  }
  Use((uint64_t)sum);
}

static Work SetUpRandomReads(char** arguments) {
  base_ = MapFileWhole(arguments[0], &length_);
  return RandomReads;
}

static Work SetUpRandomPreads(char** arguments) {
  fd_ = OpenFile(arguments[0]);
  length_ = FileLength(fd_);
  return RandomPreads;
}

// An operation: the whole file.
static void Sum(long operations) {
  for (long i = 0; i < operations; ++i) Use((uint64_t)SumNumbers((const double*)base_, length_ / sizeof(double)));
}

static void SumPread(long operations) {
  for (long i = 0; i < operations; ++i) {
    double sum = 0;
    for (size_t at = 0; at < length_;) {
      const ssize_t count = pread(fd_, buffer_, chunk_, (off_t)at);
      Check(count > 0, "pread");
      sum += SumNumbers(buffer_, (size_t)count / sizeof(double));
      at += (size_t)count;
    }
    Use((uint64_t)sum);
  }
}

static Work SetUpSum(char** arguments) {
  base_ = MapFileWhole(arguments[0], &length_);
  return Sum;
}

static Work SetUpSumPread(char** arguments) {
  fd_ = OpenFile(arguments[0]);
  length_ = FileLength(fd_);
  chunk_ = strtoull(arguments[1], NULL, 10);
  buffer_ = malloc(chunk_);
  return SumPread;
}

// An operation: map the open file, add it up, unmap.
static void MapSumUnmap(long operations) {
  for (long i = 0; i < operations; ++i) {
    void* base = mmap(NULL, length_, PROT_READ, MAP_PRIVATE, fd_, 0);
    Check(base != MAP_FAILED, "mmap");
    Use((uint64_t)SumNumbers(base, length_ / sizeof(double)));
    munmap(base, length_);
  }
}

static Work SetUpMapSumUnmap(char** arguments) {
  fd_ = OpenFile(arguments[0]);
  length_ = FileLength(fd_);
  return MapSumUnmap;
}

const struct Limit kReadingLimits[] = {
    {"random-reads", SetUpRandomReads}, {"random-preads", SetUpRandomPreads}, {"sum", SetUpSum},
    {"sum-pread", SetUpSumPread},       {"map-sum-unmap", SetUpMapSumUnmap},  {NULL, NULL},
};
