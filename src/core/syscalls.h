// The system calls, one to one: the kernel's name, the kernel's arguments, a Result. Nothing is
// decided here. Calls that not every libc exports under an unversioned name go through syscall(2).
#pragma once
#include <sys/stat.h>
#include <sys/statfs.h>

#include <cstddef>
#include <cstdint>

#include "core/result.h"

namespace core::sys {

Result<char*> Mmap(void* address, size_t length, int prot, int flags, int fd, uint64_t offset);
Status Munmap(void* address, size_t length);
Result<char*> Mremap(void* address, size_t old_length, size_t new_length, int flags, void* new_address);
Status Mprotect(void* address, size_t length, int prot);
Status Madvise(void* address, size_t length, int advice);
Status Msync(void* address, size_t length, int flags);
Status Mincore(void* address, size_t length, unsigned char* pages);
Status Mlock2(void* address, size_t length, int flags);
Status Munlock(void* address, size_t length);

Result<int> Open(const char* path, int flags, unsigned mode);
void Close(int fd);  // close(2) fails only where there is nothing left to do
Result<struct stat> Fstat(int fd);
Result<struct statfs> Fstatfs(int fd);
Result<uint64_t> BlockDeviceSize(int fd);
Result<int> Duplicate(int fd);  // F_DUPFD_CLOEXEC
Status Ftruncate(int fd, uint64_t length);
Status Fallocate(int fd, int mode, uint64_t offset, uint64_t length);
Status Fchmod(int fd, unsigned mode);
Result<size_t> Readlink(const char* path, char* target, size_t capacity);
Result<size_t> Read(int fd, void* into, size_t length);
Result<int> MemfdCreate(const char* name, unsigned flags);
Result<int> GetSeals(int fd);
Status AddSeals(int fd, int seals);

Status Pipe(int (&ends)[2]);
Result<size_t> Write(int fd, const void* from, size_t length);
// Of this process itself.
Result<size_t> ProcessVmReadv(void* into, const void* source, size_t length);
Result<size_t> ProcessVmWritev(void* target, const void* from, size_t length);

bool OnMainThread();

}  // namespace core::sys
