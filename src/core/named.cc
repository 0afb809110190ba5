#include "core/named.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "core/backing.h"
#include "core/syscalls.h"

#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif

namespace core {
namespace {

constexpr const char* kFolder = "/dev/shm";

// A file without a name, until Link().
Result<int> Make(uint64_t length) {
  const Result<int> made = sys::Open(kFolder, O_TMPFILE | O_RDWR, 0600);
  if (!made.ok() || length == 0) return made;
  const Status allocated = sys::Fallocate(made.value(), 0, 0, length);
  if (allocated.ok()) return made;
  sys::Close(made.value());
  return allocated.failure();
}

Status Link(int fd, const char* path) {
  char link[48];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  if (syscall(SYS_linkat, AT_FDCWD, link, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0) return Unit{};
  return Failure{errno, "linkat"};
}

// Anybody can make a file in /dev/shm: memory that a stranger made there is not ours to trust.
Result<int> OpenOwn(const NamedRequest& request) {
  const bool write = (request.prot & PROT_WRITE) != 0;
  const Result<int> opened = sys::Open(request.path, (write ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK, 0);
  if (!opened.ok()) return opened;
  const Result<struct stat> stat = sys::Fstat(opened.value());
  const auto user = static_cast<uid_t>(syscall(SYS_geteuid));
  if (stat.ok() && (stat.value().st_uid == user || stat.value().st_uid == 0)) return opened;
  sys::Close(opened.value());
  return stat.ok() ? Failure{EACCES, "open"} : stat.failure();
}

Result<int> OpenOrMake(const NamedRequest& request) {
  if (!request.exclusive) {
    const Result<int> there = OpenOwn(request);
    if (there.ok() || there.failure().error != ENOENT) return there;
  }
  const Result<int> made = Make(request.length);
  if (!made.ok()) return made;
  const Status linked = Link(made.value(), request.path);
  if (linked.ok()) return made;
  sys::Close(made.value());
  // somebody else was faster
  if (linked.failure().error == EEXIST && !request.exclusive) return OpenOwn(request);
  return linked.failure();
}

}  // namespace

Result<Region*> MapNamed(const NamedRequest& request) {
  const Result<int> fd = OpenOrMake(request);
  if (!fd.ok()) return fd.failure();
  const Result<Region*> region = MapFile({.fd = fd.value(),
                                          .length = request.length,
                                          .prot = request.prot,
                                          .flags = request.flags,
                                          .guarded = request.guarded});
  sys::Close(fd.value());
  return region;
}

}  // namespace core
