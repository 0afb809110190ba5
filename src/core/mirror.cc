#include "core/mirror.h"

#include <sys/mman.h>

#include <cerrno>

#include "core/syscalls.h"

namespace core {

Result<char*> MapMirrored(const MapRequest& request, Range mapped) {
  const uint64_t whole = mapped.length + request.mirrored;
  const Result<char*> reserved =
      sys::Mmap(nullptr, whole, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (!reserved.ok()) return reserved;
  char* base = reserved.value();
  const int flags = request.flags | MAP_FIXED;
  Result<char*> part = sys::Mmap(base, mapped.length, request.prot, flags, request.fd, mapped.offset);
  if (part.ok())
    part = sys::Mmap(base + mapped.length, request.mirrored, request.prot, flags, request.fd,
                     mapped.end() - request.mirrored);
  if (part.ok()) return base;
  (void)sys::Munmap(base, whole);
  return part;
}

Result<Region*> MapRing(Region* memory, uint64_t offset, uint64_t head, uint64_t capacity) {
  const RegionFacts facts = memory->Facts();
  const uint64_t page = PageSize();
  const auto whole = [page](uint64_t bytes) { return AlignDown(bytes, page) == bytes; };
  if (facts.fd < 0 || facts.page_size != page || !whole(offset) || !whole(head) || !whole(capacity) || capacity == 0)
    return Failure{EINVAL, "mmap"};
  if (!Within(kLargest, head, capacity) || !Within(facts.length, offset, head + capacity))
    return Failure{EINVAL, nullptr, reason::kRange, facts.length};
  return Region::Map({.fd = facts.fd,
                      .offset = offset,
                      .length = head + capacity,
                      .prot = facts.prot,
                      .flags = MAP_SHARED,
                      .device = facts.device,
                      .inode = facts.inode,
                      .guarded = false,  // its length is sealed
                      .mirrored = capacity});
}

}  // namespace core
