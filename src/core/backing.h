// What stands behind a mapping: a file, a memfd, or nothing. Each function checks what it is given
// with the kernel's answer and returns a Region, or leaves no trace.
#pragma once
#include <cstdint>

#include "core/region.h"
#include "core/result.h"

namespace core {

inline constexpr uint64_t kToTheEnd = UINT64_MAX;

struct FileRequest {
  const char* path = nullptr;  // opened here and closed again; or
  int fd = -1;                 // the caller's, left open
  bool write = false;          // open the path for writing too
  bool grow = false;           // extend the file to the end of the range, its blocks allocated
  bool past_end = false;       // the range may reach past the end of the file, which stays as it is
  uint64_t offset = 0;
  uint64_t length = kToTheEnd;
  int prot = 0;
  int flags = 0;
  uint64_t device = 0;  // where not 0, the file must be this one
  uint64_t inode = 0;
  bool guarded = true;
};

Result<Region*> MapFile(const FileRequest& request);

// fallocate(2) over the whole range, so that no later write to it can meet a full disk. True where
// the file system did, false where it cannot and the file was only made longer. The file is never cut:
// another process may have appended meanwhile.
Result<bool> GrowFile(int fd, Range range);

struct MemfdRequest {
  const char* name = nullptr;  // the identity that attach checks; see memfd_create(2)
  uint64_t length = 0;
  int prot = 0;
  int flags = 0;
  uint64_t huge_page_size = 0;  // 0: ordinary pages
  bool peers_readonly = false;  // F_SEAL_FUTURE_WRITE
  bool guarded = true;
};

// Memory that can be joined through its descriptor and cut short by nobody.
Result<Region*> MapMemfd(const MemfdRequest& request);

struct AttachRequest {
  const char* path = nullptr;  // /proc/PID/fd/N; or
  int fd = -1;                 // one that this process has inherited, left open
  const char* name = nullptr;  // of the memfd that must be there
  uint64_t length = 0;
  bool write = false;
};

// Looks before it opens: the descriptor may have been closed and its number, or the process's, used again.
Result<Region*> AttachMemfd(const AttachRequest& request);

}  // namespace core
