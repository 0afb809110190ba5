#include "core/backing.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <linux/memfd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "core/lease.h"
#include "core/syscalls.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif

namespace core {
namespace {

// Closes on every way out, unless it was given away.
class OwnedFd {
 public:
  explicit OwnedFd(int fd) : fd_(fd) {}
  ~OwnedFd() { sys::Close(fd_); }
  OwnedFd(const OwnedFd&) = delete;
  OwnedFd& operator=(const OwnedFd&) = delete;
  int get() const { return fd_; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

constexpr int kSealsOfSize = F_SEAL_SHRINK | F_SEAL_GROW;

// Whether this can be mapped at all is the kernel's to say, also when there is nothing to map yet:
// a directory, a pipe and a file of /proc answer ENODEV or EACCES.
Status Probe(int fd, const FileRequest& request) {
  const auto page = PageSize();
  const Result<char*> base = sys::Mmap(nullptr, page, request.prot, request.flags & ~MAP_POPULATE, fd, 0);
  return base.ok() ? sys::Munmap(base.value(), page) : Status(base.failure());
}

Result<uint64_t> SizeOf(int fd, const struct stat& status) {
  if (S_ISBLK(status.st_mode)) return sys::BlockDeviceSize(fd);
  return static_cast<uint64_t>(status.st_size);
}

// Of the pages that back a file: hugetlbfs has its own, and takes no other alignment.
uint64_t PageSizeOf(int fd, const struct stat& status) {
  const auto page = PageSize();
  if (static_cast<uint64_t>(status.st_blksize) <= page) return page;
  const Result<struct statfs> system = sys::Fstatfs(fd);
  const bool hugetlb = system.ok() && system.value().f_type == HUGETLBFS_MAGIC;
  return hugetlb ? static_cast<uint64_t>(system.value().f_bsize) : page;
}

Result<Region*> MapOpened(int fd, const FileRequest& request) {
  const Result<struct stat> stat = sys::Fstat(fd);
  if (!stat.ok()) return stat.failure();
  const struct stat status = stat.value();
  if (request.inode != 0 && (request.inode != status.st_ino || request.device != status.st_dev))
    return Failure{ESTALE, "open", reason::kStale};

  MapRequest map{.fd = fd,
                 .offset = request.offset,
                 .length = request.length,
                 .prot = request.prot,
                 .flags = request.flags,
                 .page_size = PageSizeOf(fd, status),
                 .device = status.st_dev,
                 .inode = status.st_ino,
                 .guarded = request.guarded};
  // what has no size of its own (a device, and a pipe or directory, which the probe turns away) ends nowhere
  const bool sized = S_ISREG(status.st_mode) || S_ISBLK(status.st_mode);
  const Result<uint64_t> known = sized ? SizeOf(fd, status) : Result<uint64_t>(kLargest);
  if (!known.ok()) return known.failure();
  const uint64_t size = known.value();
  const bool to_the_end = request.length == kToTheEnd;
  if (to_the_end) map.length = sized && size > request.offset ? size - request.offset : 0;
  if (map.length == 0 || size == 0 || !sized) {
    if (const Status mappable = Probe(fd, request); !mappable.ok()) return mappable.failure();
  }
  if (to_the_end && !sized) return Failure{EINVAL, "fstat", reason::kNoSize};
  if (!Within(kLargest, map.offset, map.length)) return Failure{EOVERFLOW, "mmap"};
  if (!request.grow && !request.past_end && !Within(size, map.offset, map.length))
    return Failure{EINVAL, "fstat", reason::kPastEnd, size};
  if (request.grow && S_ISREG(status.st_mode) && map.length > 0) {
    const Result<bool> grown = GrowFile(fd, {map.offset, map.length});
    if (!grown.ok()) return grown.failure();
    map.preallocated = grown.value();
  }
  return Region::Map(map);
}

Result<int> CreateMemfd(const MemfdRequest& request) {
  unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
  if (request.huge_page_size != 0)
    flags |= MFD_HUGETLB | (static_cast<unsigned>(__builtin_ctzll(request.huge_page_size)) << MFD_HUGE_SHIFT);
  const Result<int> fd = sys::MemfdCreate(request.name, flags | MFD_NOEXEC_SEAL);
  // Linux before 6.3 does not know the flag
  return fd.ok() || fd.failure().error != EINVAL ? fd : sys::MemfdCreate(request.name, flags);
}

// /memfd:NAME (deleted), which nothing but a memfd of that name has
bool IsMemfd(int fd, const char* name) {
  char link[48];
  char target[320];
  char expected[320];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  std::snprintf(expected, sizeof expected, "/memfd:%s (deleted)", name);
  const Result<size_t> count = sys::Readlink(link, target, sizeof target);
  return count.ok() && count.value() == std::strlen(expected) && std::memcmp(target, expected, count.value()) == 0;
}

// Through /proc, which asks whether this process may; what it opens is what it looked at.
Result<int> OpenOther(const AttachRequest& request) {
  const Result<int> looked = sys::Open(request.path, O_PATH, 0);
  if (!looked.ok()) return looked;
  const OwnedFd look(looked.value());
  if (!IsMemfd(look.get(), request.name)) return Failure{ESTALE, "readlink", reason::kStale};
  char link[48];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", look.get());
  return sys::Open(link, request.write ? O_RDWR : O_RDONLY, 0);
}

// Duplicated, not opened again: whoever was handed the descriptor needs no right to the file.
Result<int> OpenInherited(const AttachRequest& request) {
  if (!IsMemfd(request.fd, request.name)) return Failure{ESTALE, "readlink", reason::kStale};
  return sys::Duplicate(request.fd);
}

}  // namespace

Result<bool> GrowFile(int fd, Range range) {
  // the blocks first, without a change of length: where there is no room nothing has happened
  const Status reserved = sys::Fallocate(fd, FALLOC_FL_KEEP_SIZE, range.offset, range.length);
  if (reserved.ok()) {
    const Status longer = sys::Fallocate(fd, 0, range.offset, range.length);
    return longer.ok() ? Result<bool>(true) : Result<bool>(longer.failure());
  }
  if (reserved.failure().error != EOPNOTSUPP) return reserved.failure();
  const Result<struct stat> status = sys::Fstat(fd);
  if (!status.ok()) return status.failure();
  if (range.end() > static_cast<uint64_t>(status.value().st_size)) {
    const Status longer = sys::Ftruncate(fd, range.end());
    if (!longer.ok()) return longer.failure();
  }
  return false;
}

Result<Region*> MapFile(const FileRequest& request) {
  if (request.path == nullptr) return MapOpened(request.fd, request);
  // O_NONBLOCK: opening a pipe without a writer must not wait for one
  const Result<int> opened = sys::Open(request.path, (request.write ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_NOCTTY, 0);
  if (!opened.ok()) return opened.failure();
  const OwnedFd fd(opened.value());
  return MapOpened(fd.get(), request);
}

Result<Region*> MapMemfd(const MemfdRequest& request) {
  const Result<int> created = CreateMemfd(request);
  if (!created.ok()) return created.failure();
  OwnedFd fd(created.value());
  const uint64_t page = request.huge_page_size == 0 ? PageSize() : request.huge_page_size;
  const uint64_t size = request.huge_page_size == 0 ? request.length : AlignUp(request.length, page);
  if (const Status sized = sys::Ftruncate(fd.get(), size); !sized.ok()) return sized.failure();
  if (const Status owner = sys::Fchmod(fd.get(), 0600); !owner.ok()) return owner.failure();
  const Result<struct stat> stat = sys::Fstat(fd.get());
  if (!stat.ok()) return stat.failure();
  // the seals that forbid writing come after our own mapping, which may go on writing
  const int duplicate = fd.get();
  const Result<Region*> region = Region::Map({.fd = fd.Release(),
                                              .length = request.length,
                                              .prot = request.prot,
                                              .flags = request.flags,
                                              .page_size = page,
                                              .keep_fd = true,
                                              .device = stat.value().st_dev,
                                              .inode = stat.value().st_ino,
                                              .peers_readonly = request.peers_readonly,
                                              .guarded = request.guarded});
  if (!region.ok()) return region;
  const int seals = kSealsOfSize | F_SEAL_SEAL | (request.peers_readonly ? F_SEAL_FUTURE_WRITE : 0);
  if (const Status sealed = sys::AddSeals(duplicate, seals); !sealed.ok()) {
    Lease(region.value()).Drop();
    return sealed.failure();
  }
  region.value()->Identify(request.name);
  return region;
}

Result<Region*> AttachMemfd(const AttachRequest& request) {
  const Result<int> opened = request.path == nullptr ? OpenInherited(request) : OpenOther(request);
  if (!opened.ok()) return opened.failure();
  OwnedFd fd(opened.value());
  const Result<struct stat> stat = sys::Fstat(fd.get());
  if (!stat.ok()) return stat.failure();
  const Result<int> seals = sys::GetSeals(fd.get());
  if (!seals.ok()) return seals.failure();
  if ((seals.value() & kSealsOfSize) != kSealsOfSize) return Failure{EPERM, "fcntl", reason::kNotSealed};
  const auto size = static_cast<uint64_t>(stat.value().st_size);
  if (!Within(size, 0, request.length)) return Failure{EINVAL, "fstat", reason::kPastEnd, size};
  const uint64_t page_size = PageSizeOf(fd.get(), stat.value());
  const Result<Region*> region = Region::Map({.fd = fd.Release(),
                                              .length = request.length,
                                              .prot = request.write ? PROT_READ | PROT_WRITE : PROT_READ,
                                              .flags = MAP_SHARED,
                                              .page_size = page_size,
                                              .keep_fd = true,
                                              .device = stat.value().st_dev,
                                              .inode = stat.value().st_ino});
  if (region.ok()) region.value()->Identify(request.name);
  return region;
}

}  // namespace core
