#include <fcntl.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "core/guard_internal.h"

// syscall(2) is a plain instruction with an errno behind it: safe in a handler that keeps errno.
namespace core::guard::raw {
namespace {

char* Address(int64_t result) {
  return result == -1 ? nullptr : reinterpret_cast<char*>(result);
}

uint32_t idle_word;

}  // namespace

char* MapAnonymous(char* at, uint64_t length, int prot) {
  const int fixed = at == nullptr ? 0 : MAP_FIXED;
  const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed;
  const int64_t made = syscall(SYS_mmap, at, length, prot, flags, -1, 0);
  if (made != -1 || errno != ENOMEM || !SpendReserve()) return Address(made);
  return Address(syscall(SYS_mmap, at, length, prot, flags, -1, 0));
}

bool MapFile(char* at, uint64_t length, int prot, int flags, int fd, uint64_t offset) {
  return syscall(SYS_mmap, at, length, prot, flags | MAP_FIXED, fd, offset) != -1;
}

bool Protect(char* at, uint64_t length, int prot) {
  if (syscall(SYS_mprotect, at, length, prot) == 0) return true;
  return errno == ENOMEM && SpendReserve() && syscall(SYS_mprotect, at, length, prot) == 0;
}

// The kernel copies the set in before it finds that `how` makes no sense: EFAULT instead of a signal.
bool Readable(const char* at) {
  constexpr int kNonsense = 0x7fff;
  constexpr size_t kSetSize = 8;
  return syscall(SYS_rt_sigprocmask, kNonsense, at, nullptr, kSetSize) == -1 && errno == EINVAL;
}

// Adds 0 to the word, as a store would: EFAULT instead of a signal.
bool Writable(char* at) {
  return syscall(SYS_futex, &idle_word, FUTEX_WAKE_OP | FUTEX_PRIVATE_FLAG, 0, 0, at,
                 FUTEX_OP(FUTEX_OP_ADD, 0, FUTEX_OP_CMP_EQ, 0)) != -1;
}

int64_t FileSize(int fd) {
  struct stat status{};
  if (fd < 0 || syscall(SYS_fstat, fd, &status) == -1 || !S_ISREG(status.st_mode)) return -1;
  return status.st_size;
}

int64_t CopyFrom(char* into, const char* from, uint64_t length) {
  iovec local{into, length};
  iovec remote{const_cast<char*>(from), length};
  return syscall(SYS_process_vm_readv, syscall(SYS_getpid), &local, 1, &remote, 1, 0);
}

int64_t ReadFile(int fd, char* into, uint64_t length, uint64_t offset) {
  return fd < 0 ? -1 : syscall(SYS_pread64, fd, into, length, offset);
}

int64_t WriteFile(int fd, const char* from, uint64_t length, uint64_t offset) {
  return fd < 0 ? -1 : syscall(SYS_pwrite64, fd, from, length, offset);
}

bool MoveOnto(char* from, char* at, uint64_t length) {
  return syscall(SYS_mremap, from, length, length, MREMAP_MAYMOVE | MREMAP_FIXED, at) != -1;
}

void Unmap(char* at, uint64_t length) {
  syscall(SYS_munmap, at, length);
}

void Yield() {
  syscall(SYS_sched_yield);
}

uint64_t Microseconds() {
  timespec now{};
  syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000 + static_cast<uint64_t>(now.tv_nsec) / 1'000;
}

}  // namespace core::guard::raw
