#include "core/doorbell.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/region.h"
#include "core/syscalls.h"

#ifndef F_SETPIPE_SZ
#define F_SETPIPE_SZ 1031
#define F_GETPIPE_SZ 1032
#endif

namespace core {
namespace {

Failure Fail(const char* syscall) {
  return {errno, syscall};
}

bool IsDoorbell(int fd, uint64_t inode) {
  const Result<struct stat> stat = sys::Fstat(fd);
  return stat.ok() && S_ISFIFO(stat.value().st_mode) && stat.value().st_ino == inode;
}

}  // namespace

Result<Doorbell> MakeDoorbell() {
  int ends[2];
  if (syscall(SYS_pipe2, ends, O_CLOEXEC | O_NONBLOCK) == -1) return Fail("pipe2");
  // one page, the least there is: one byte is as good as many
  fcntl(ends[1], F_SETPIPE_SZ, static_cast<int>(PageSize()));
  const Result<struct stat> stat = sys::Fstat(ends[1]);
  if (stat.ok()) return Doorbell{ends[0], ends[1], stat.value().st_ino};
  sys::Close(ends[0]);
  sys::Close(ends[1]);
  return stat.failure();
}

Result<int> OpenDoorbell(int pid, int fd, uint64_t inode) {
  char path[64];
  std::snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
  // looked at before it is opened: opening a device can have effects
  const Result<int> look = sys::Open(path, O_PATH, 0);
  if (!look.ok()) return look;
  const bool known = IsDoorbell(look.value(), inode);
  std::snprintf(path, sizeof path, "/proc/self/fd/%d", look.value());
  const Result<int> opened = known ? sys::Open(path, O_WRONLY | O_NONBLOCK, 0) : Result<int>(Failure{ESTALE, "open"});
  sys::Close(look.value());
  if (!opened.ok()) return opened;
  if (fcntl(opened.value(), F_GETPIPE_SZ) == static_cast<int>(PageSize())) return opened;
  sys::Close(opened.value());
  return Failure{ESTALE, "fcntl"};
}

bool Knock(int fd) {
  const char byte = 0;
  // a pipe that is full has been heard
  return syscall(SYS_write, fd, &byte, 1) == 1 || errno == EAGAIN;
}

}  // namespace core
