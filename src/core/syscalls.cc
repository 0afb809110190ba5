#include "core/syscalls.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>

namespace core::sys {
namespace {

Failure Fail(const char* syscall) {
  return {errno, syscall};
}

Status Done(int64_t result, const char* name) {
  return result == -1 ? Status(Fail(name)) : Status(Unit{});
}

Result<size_t> Count(int64_t result, const char* name) {
  return result < 0 ? Result<size_t>(Fail(name)) : Result<size_t>(static_cast<size_t>(result));
}

Result<int> Descriptor(int64_t result, const char* name) {
  return result < 0 ? Result<int>(Fail(name)) : Result<int>(static_cast<int>(result));
}

// A signal that interrupts a call that takes long is no failure of the call.
template <class Call>
int64_t Retry(Call call) {
  int64_t result = 0;
  do result = call();
  while (result == -1 && errno == EINTR);
  return result;
}

}  // namespace

Result<char*> Mmap(void* address, size_t length, int prot, int flags, int fd, uint64_t offset) {
  void* base = mmap(address, length, prot, flags, fd, static_cast<off_t>(offset));
  return base == MAP_FAILED ? Result<char*>(Fail("mmap")) : Result<char*>(static_cast<char*>(base));
}

Status Munmap(void* address, size_t length) {
  return Done(munmap(address, length), "munmap");
}

Result<char*> Mremap(void* address, size_t old_length, size_t new_length, int flags, void* new_address) {
  void* base = mremap(address, old_length, new_length, flags, new_address);
  return base == MAP_FAILED ? Result<char*>(Fail("mremap")) : Result<char*>(static_cast<char*>(base));
}

Status Mprotect(void* address, size_t length, int prot) {
  return Done(mprotect(address, length, prot), "mprotect");
}

Status Madvise(void* address, size_t length, int advice) {
  return Done(Retry([=] { return madvise(address, length, advice); }), "madvise");
}

Status Msync(void* address, size_t length, int flags) {
  return Done(Retry([=] { return msync(address, length, flags); }), "msync");
}

Status Mincore(void* address, size_t length, unsigned char* pages) {
  return Done(mincore(address, length, pages), "mincore");
}

Status Mlock2(void* address, size_t length, int flags) {
  return Done(syscall(SYS_mlock2, address, length, flags), "mlock2");
}

Status Munlock(void* address, size_t length) {
  return Done(syscall(SYS_munlock, address, length), "munlock");
}

Result<int> Open(const char* path, int flags, unsigned mode) {
  return Descriptor(Retry([=] { return syscall(SYS_openat, AT_FDCWD, path, flags | O_CLOEXEC, mode); }), "open");
}

void Close(int fd) {
  if (fd >= 0) syscall(SYS_close, fd);
}

Result<struct stat> Fstat(int fd) {
  struct stat status{};
  if (syscall(SYS_fstat, fd, &status) == -1) return Fail("fstat");
  return status;
}

Result<struct statfs> Fstatfs(int fd) {
  struct statfs status{};
  if (syscall(SYS_fstatfs, fd, &status) == -1) return Fail("fstatfs");
  return status;
}

Result<uint64_t> BlockDeviceSize(int fd) {
  uint64_t size = 0;
  if (syscall(SYS_ioctl, fd, BLKGETSIZE64, &size) == -1) return Fail("ioctl");
  return size;
}

Result<int> Duplicate(int fd) {
  return Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 0), "fcntl");
}

Status Ftruncate(int fd, uint64_t length) {
  return Done(Retry([=] { return ftruncate(fd, static_cast<off_t>(length)); }), "ftruncate");
}

Status Fallocate(int fd, int mode, uint64_t offset, uint64_t length) {
  return Done(Retry([=] { return fallocate(fd, mode, static_cast<off_t>(offset), static_cast<off_t>(length)); }),
              "fallocate");
}

Status Fchmod(int fd, unsigned mode) {
  return Done(syscall(SYS_fchmod, fd, mode), "fchmod");
}

Result<size_t> Readlink(const char* path, char* target, size_t capacity) {
  return Count(syscall(SYS_readlinkat, AT_FDCWD, path, target, capacity), "readlink");
}

Result<size_t> Read(int fd, void* into, size_t length) {
  return Count(Retry([=] { return syscall(SYS_read, fd, into, length); }), "read");
}

Result<int> MemfdCreate(const char* name, unsigned flags) {
  return Descriptor(syscall(SYS_memfd_create, name, flags), "memfd_create");
}

Result<int> GetSeals(int fd) {
  return Descriptor(fcntl(fd, F_GET_SEALS), "fcntl");
}

Status AddSeals(int fd, int seals) {
  return Done(fcntl(fd, F_ADD_SEALS, seals), "fcntl");
}

Result<size_t> ProcessVmReadv(void* into, const void* source, size_t length) {
  iovec local{into, length};
  iovec remote{const_cast<void*>(source), length};
  return Count(syscall(SYS_process_vm_readv, syscall(SYS_getpid), &local, 1, &remote, 1, 0), "process_vm_readv");
}

Result<size_t> ProcessVmWritev(void* target, const void* from, size_t length) {
  iovec local{const_cast<void*>(from), length};
  iovec remote{target, length};
  return Count(syscall(SYS_process_vm_writev, syscall(SYS_getpid), &local, 1, &remote, 1, 0), "process_vm_writev");
}

Status Pipe(int (&ends)[2]) {
  return Done(syscall(SYS_pipe2, ends, O_CLOEXEC), "pipe2");
}

Result<size_t> Write(int fd, const void* from, size_t length) {
  return Count(Retry([=] { return syscall(SYS_write, fd, from, length); }), "write");
}

bool OnMainThread() {
  return syscall(SYS_gettid) == syscall(SYS_getpid);
}

}  // namespace core::sys
