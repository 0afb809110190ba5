#include "core/futex.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <climits>
#include <ctime>

namespace core {
namespace {

constexpr int kWait = 9;  // FUTEX_WAIT_BITSET: its timeout is absolute, of CLOCK_MONOTONIC
constexpr int kWake = 1;
constexpr int kWakeOp = 5;
constexpr int kPrivate = 128;
constexpr uint32_t kAnyBit = 0xffffffff;
constexpr int kOpSet = 0;
constexpr int kOpAdd = 1;

// struct futex_waitv, which the headers of older systems lack
struct WaitV {
  uint64_t expected;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};
constexpr uint32_t kSize32 = 2;
constexpr int kSysWaitV = 449;

constexpr uint64_t kSecond = 1000000000;

enum class Has : uint8_t { kUnknown, kYes, kNo };
std::atomic<Has> has_waitv{Has::kUnknown};

timespec ToTimespec(uint64_t nanoseconds) {
  timespec time{};
  time.tv_sec = static_cast<time_t>(nanoseconds / kSecond);
  time.tv_nsec = static_cast<long>(nanoseconds % kSecond);  // NOLINT(google-runtime-int): its type
  return time;
}

// The kernel looks at the word it sleeps on, which is the first.
bool OthersAsExpected(const Word* words, size_t count) {
  for (size_t i = 1; i < count; ++i)
    if (__atomic_load_n(words[i].address, __ATOMIC_SEQ_CST) != words[i].expected) return false;
  return true;
}

int64_t SleepOnOne(const Word& word, const timespec* deadline) {
  return syscall(SYS_futex, word.address, kWait | (word.is_private ? kPrivate : 0), word.expected, deadline, nullptr,
                 kAnyBit);
}

int64_t SleepOnMany(const Word* words, size_t count, const timespec* deadline) {
  WaitV vector[kMostWords];
  for (size_t i = 0; i < count; ++i) {
    const uint32_t flags = kSize32 | (words[i].is_private ? kPrivate : 0);
    vector[i] = {words[i].expected, reinterpret_cast<uintptr_t>(words[i].address), flags, 0};
  }
  return syscall(kSysWaitV, vector, count, 0, deadline, CLOCK_MONOTONIC);
}

// FUTEX_OP(op, operand, FUTEX_OP_CMP_EQ, 0): the comparison decides on a second wake, of which we want none.
void ChangeAndWakeAll(uint32_t* address, int op, int operand) {
  syscall(SYS_futex, address, kWakeOp, INT_MAX, 0, address, (op << 28) | (operand << 12));
}

}  // namespace

uint64_t Now() {
  timespec now{};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * kSecond + static_cast<uint64_t>(now.tv_nsec);
}

bool CanSleepOnMany() {
  if (has_waitv == Has::kUnknown) {
    // no words at all: EINVAL from a kernel that has the call
    const bool has = syscall(kSysWaitV, nullptr, 0, 0, nullptr, 0) == -1 && errno == EINVAL;
    has_waitv = has ? Has::kYes : Has::kNo;
  }
  return has_waitv == Has::kYes;
}

SleepResult SleepOn(const Word* words, size_t count, uint64_t deadline) {
  timespec time = ToTimespec(deadline);
  const timespec* until = deadline == kForever ? nullptr : &time;
  const bool many = count > 1 && CanSleepOnMany();
  for (;;) {
    if (!many && !OthersAsExpected(words, count)) return {Sleep::kNotEqual};
    const int64_t result = many ? SleepOnMany(words, count, until) : SleepOnOne(words[0], until);
    if (result >= 0) return {Sleep::kWoken, static_cast<size_t>(result)};
    if (errno == EAGAIN) return {Sleep::kNotEqual};
    if (errno == ETIMEDOUT) return {Sleep::kTimedOut};
    if (errno != EINTR) return {Sleep::kTimedOut, 0, errno};
  }
}

int64_t Wake(const uint32_t* address, int count, bool is_private) {
  const int64_t woken = syscall(SYS_futex, address, kWake | (is_private ? kPrivate : 0), count, nullptr, nullptr, 0);
  return woken < 0 ? 0 : woken;
}

void AddAndWakeAll(uint32_t* address, int operand) {
  ChangeAndWakeAll(address, kOpAdd, operand);
}

void ClearAndWakeAll(uint32_t* address) {
  ChangeAndWakeAll(address, kOpSet, 0);
}

}  // namespace core
