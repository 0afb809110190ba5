#include "core/limits.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdint>

#include "core/mutex.h"
#include "core/syscalls.h"

namespace core {
namespace {

Mutex lock;
uint64_t limit = 0;      // vm.max_map_count
int64_t admissions = 0;  // how many more may pass before the areas are counted again

constexpr uint64_t kDefaultLimit = 65530;
constexpr int64_t kTooFew = 64;

uint64_t ReadLimit() {
  char text[24] = {};
  const Result<int> fd = sys::Open("/proc/sys/vm/max_map_count", O_RDONLY, 0);
  if (!fd.ok()) return kDefaultLimit;
  const Result<size_t> count = sys::Read(fd.value(), text, sizeof text - 1);
  sys::Close(fd.value());
  uint64_t number = 0;
  for (const char* digit = text; count.ok() && *digit >= '0' && *digit <= '9'; ++digit)
    number = number * 10 + static_cast<uint64_t>(*digit - '0');
  return number == 0 ? kDefaultLimit : number;
}

// The lines of /proc/self/maps. Neighbours that the kernel merged are one line, so this is far
// fewer than the mappings made, and the only number that counts.
uint64_t CountAreas() {
  static char chunk[1 << 16];  // under the lock
  const Result<int> fd = sys::Open("/proc/self/maps", O_RDONLY, 0);
  if (!fd.ok()) return 0;
  uint64_t lines = 0;
  for (;;) {
    const Result<size_t> count = sys::Read(fd.value(), chunk, sizeof chunk);
    if (!count.ok() || count.value() == 0) break;
    for (size_t i = 0; i < count.value(); ++i) lines += chunk[i] == '\n' ? 1 : 0;
  }
  sys::Close(fd.value());
  return lines;
}

}  // namespace

Status AdmitArea() {
  const Locked locked(lock);
  if (--admissions >= 0) return Unit{};
  if (limit == 0) limit = ReadLimit();
  // a mapping that is changed in the middle costs two areas more, and the runtime needs some too
  const auto room = static_cast<int64_t>(limit - limit / 10) - static_cast<int64_t>(CountAreas());
  if (room < kTooFew) {
    admissions = 0;
    return Failure{ENOMEM, "mmap", reason::kMapLimit, limit};
  }
  // a quarter of what is left: others make areas too
  admissions = room / 4;
  return Unit{};
}

}  // namespace core
