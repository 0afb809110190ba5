// Sleeping on words of memory and waking who sleeps there, across threads and processes: futex(2). Never
// FUTEX_PRIVATE_FLAG, except where a word says so: what counts is the memory, not the address.
#pragma once
#include <cstddef>
#include <cstdint>

namespace core {

// Sleep while *address == expected.
struct Word {
  uint32_t* address = nullptr;
  uint32_t expected = 0;
  bool is_private = false;  // of this process alone
};

enum class Sleep : uint8_t {
  kWoken,     // index says by which word; others may have changed too
  kNotEqual,  // one of them was not as expected, and nobody slept
  kTimedOut,
};

struct SleepResult {
  Sleep sleep = Sleep::kTimedOut;
  size_t index = 0;  // of the word that woke it
  int error = 0;     // an errno, where the kernel refused the words
};

inline constexpr size_t kMostWords = 128;  // FUTEX_WAITV_MAX
inline constexpr uint64_t kForever = UINT64_MAX;

// Nanoseconds of CLOCK_MONOTONIC.
uint64_t Now();

// Can one thread sleep on several words? Linux 5.16 and newer. Elsewhere it sleeps on the first of them, and
// the others are looked at before and after: callers keep their deadlines short there.
bool CanSleepOnMany();

// Until a word is woken, or the deadline (of Now()). A signal handler that ran in between is no reason to return.
SleepResult SleepOn(const Word* words, size_t count, uint64_t deadline);

// How many were woken.
int64_t Wake(const uint32_t* address, int count, bool is_private = false);

// The next two do their store and their wake in one system call, which SIGKILL cannot come between.
void AddAndWakeAll(uint32_t* address, int operand);  // *address += operand, from 0 to 2047
void ClearAndWakeAll(uint32_t* address);             // *address = 0

}  // namespace core
