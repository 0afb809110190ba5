#include "core/limits.h"

#include <fcntl.h>
#include <sys/mman.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdlib>

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

int64_t Room(uint64_t percent) {
  if (limit == 0) limit = ReadLimit();
  return static_cast<int64_t>(limit / 100 * percent) - static_cast<int64_t>(CountAreas());
}

struct PutOff {
  char* base;
  uint64_t span;
};

PutOff* put_off = nullptr;
size_t put_off_count = 0;
size_t put_off_capacity = 0;
int64_t refusals = 0;  // that pass before the areas are counted again for a munmap

// Neighbours go in one call, which costs no more than the gaps between them.
void GiveBackPutOff() {
  if (put_off_count == 0) return;
  std::sort(put_off, put_off + put_off_count, [](const PutOff& a, const PutOff& b) { return a.base < b.base; });
  int64_t room = Room(95);
  size_t kept = 0;
  for (size_t i = 0; i < put_off_count;) {
    PutOff run = put_off[i++];
    while (i < put_off_count && put_off[i].base == run.base + run.span) run.span += put_off[i++].span;
    if (--room < 0 || !sys::Munmap(run.base, run.span).ok()) put_off[kept++] = run;
  }
  put_off_count = kept;
}

bool Admit() {
  if (--admissions >= 0) return true;
  GiveBackPutOff();
  // a mapping that is changed in the middle costs two areas more, and the runtime needs some too
  const int64_t room = Room(90);
  // a quarter of what is left: others make areas too
  admissions = room < kTooFew ? 0 : room / 4;
  return room >= kTooFew;
}

bool Remember(PutOff range) {
  if (put_off_count == put_off_capacity) {
    const size_t capacity = put_off_capacity == 0 ? 1024 : put_off_capacity * 2;
    void* grown = std::realloc(put_off, capacity * sizeof(PutOff));
    if (grown == nullptr) return false;
    put_off = static_cast<PutOff*>(grown);
    put_off_capacity = capacity;
  }
  put_off[put_off_count++] = range;
  return true;
}

}  // namespace

Status AdmitArea() {
  const Locked locked(lock);
  return Admit() ? Status(Unit{}) : Status(Failure{ENOMEM, "mmap", reason::kMapLimit, limit});
}

Status GiveBack(char* base, uint64_t span, bool may_be_merged) {
  if (may_be_merged) {
    constexpr int64_t kRefusalsAtOnce = 1000;
    const Locked locked(lock);
    const bool refused = --refusals >= 0 || !Admit();
    if (refused && refusals < 0) refusals = kRefusalsAtOnce;
    if (refused && Remember({base, span})) {
      (void)sys::Madvise(base, span, MADV_DONTNEED);
      return Unit{};
    }
  }
  return sys::Munmap(base, span);
}

}  // namespace core
