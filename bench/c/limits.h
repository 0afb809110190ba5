// The limits of the suite: the same work as the JavaScript contestants do, in C, with the same protocol.
#pragma once
#include <stddef.h>
#include <stdint.h>

// Does the work so many times.
typedef void (*Work)(long operations);

// Called after each turn, where it is set: what is not part of the time.
extern void (*After)(void);

// Reads its arguments, makes ready, and says what the work is.
typedef Work (*Setup)(char** arguments);

struct Limit {
  const char* name;
  Setup setup;
};

extern const struct Limit kMappingLimits[];
extern const struct Limit kReadingLimits[];
extern const struct Limit kMemoryLimits[];

// Ends the process with a message unless `good`.
void Check(int good, const char* what);

size_t FileLength(int fd);
int OpenFile(const char* path);
void* MapFileWhole(const char* path, size_t* length);

// A number that the compiler has to have computed.
void Use(uint64_t value);

#define PAGE 4096
