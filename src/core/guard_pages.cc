// What becomes of a page that faulted. Rules that cost a lost write each to find:
//  - A page is owned while it is looked at and replaced.
//  - Before it is replaced, writing to it is revoked, and only then is it looked at: otherwise the file
//    comes back in between, another thread's store succeeds, and is replaced.
//  - What can keep its content keeps it, in anonymous memory, where no truncation reaches it.
//  - Zeros are mapped read-only: the first store into them is a fault of its own, and is counted.
#include "core/guard_states.h"

namespace core::guard {
namespace {

constexpr uint64_t kLargestWindow = 512;  // pages
// Every island costs up to two areas of vm.max_map_count: from here on whole gaps are replaced, which merges them.
constexpr uint64_t kIslandsOfMapping = 256;
constexpr uint64_t kIslandsOfProcess = 2048;
constexpr uint32_t kGiveUp = 10000;

std::atomic<uint64_t> all_islands;

void Record(Slot* slot, Kind kind, Run run, bool write) {
  Counter& counter = slot->counters[static_cast<int>(kind)];
  const uint64_t offset = OffsetOf(slot, run.first);
  uint64_t none = 0;
  counter.first.compare_exchange_strong(none, offset + 1);
  counter.latest.store(offset);
  counter.pages.fetch_add(run.count);
  if (write) counter.writes.fetch_add(run.count);
  if (slot->next.exchange(run.first + run.count) != run.first) {
    slot->islands.fetch_add(1);
    all_islands.fetch_add(1);
  }
  slot->repeats.store(0);
  std::atomic_ref<uint32_t>(*Word(slot)).fetch_add(1);
  NotifySoon();
}

// The page is as it should be: another thread was faster, or the file came back. A fault that
// repeats without any progress is somebody else's doing, and is given up.
bool Again(Slot* slot, uintptr_t address) {
  if (slot->repeated.exchange(address) != address) slot->repeats.store(0);
  return slot->repeats.fetch_add(1) < kGiveUp;
}

bool TooManyIslands(const Slot* slot) {
  return slot->islands.load() >= kIslandsOfMapping || all_islands.load() >= kIslandsOfProcess;
}

// More live pages around an owned one: on to the right, then to the left as far as `floor`.
Run Widen(const Slot* slot, uint64_t* pages, Run run, uint64_t floor, uint64_t most) {
  while (run.count < most && run.first + run.count < PageCount(slot) && Take(pages, run.first + run.count, Page::kLive))
    ++run.count;
  while (run.count < most && run.first > floor && Take(pages, run.first - 1, Page::kLive)) {
    --run.first;
    ++run.count;
  }
  return run;
}

// A sequential reader gets twice as many pages each time.
Run WidenAhead(Slot* slot, uint64_t* pages, Run run, uint64_t floor) {
  if (TooManyIslands(slot)) return Widen(slot, pages, run, floor, UINT64_MAX);
  const bool sequential = slot->next.load() == run.first;
  const uint64_t window = sequential ? std::min(std::max<uint64_t>(slot->window.load(), 1) * 2, kLargestWindow) : 1;
  slot->window.store(window);
  return Widen(slot, pages, run, run.first, window);
}

// Where the file ends now, in pages of the mapping. UINT64_MAX: cannot be told.
uint64_t PagesCovered(const Slot* slot) {
  const int64_t size = raw::FileSize(slot->mapping.fd);
  if (size < 0) return UINT64_MAX;
  const uint64_t start = slot->mapping.offset;
  const auto end = static_cast<uint64_t>(size);
  return end <= start ? 0 : (end - start + slot->mapping.page_size - 1) / slot->mapping.page_size;
}

bool MapZeros(Slot* slot, uint64_t* pages, Run run, Kind kind, bool writable, bool written) {
  const int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const bool done = raw::MapAnonymous(At(slot, run.first), BytesOf(slot, run), prot) != nullptr;
  const Page replaced = writable ? Page::kPrivate : Page::kZero;
  Put(pages, run, done ? replaced : Page::kLive);
  if (done) Record(slot, kind, run, written);
  return done;
}

// Reading beyond the end of the file, whose length is known.
bool ZerosBeyondEnd(Slot* slot, uint64_t* pages, Run run, uint64_t covered) {
  run = WidenAhead(slot, pages, run, covered);
  Revoke(slot, run);
  // once more, now that nobody can write: a file that came back is used again
  if (run.first >= PagesCovered(slot)) return MapZeros(slot, pages, run, Kind::kTruncated, false, false);
  Restore(slot, pages, run);
  Put(pages, run, Page::kLive);
  return true;
}

// The run, which is owned and cannot be written to, keeps its bytes in anonymous memory.
bool CopyToPrivate(const Slot* slot, Run run) {
  const Mapping& mapping = slot->mapping;
  char* at = At(slot, run.first);
  const uint64_t length = BytesOf(slot, run);
  if ((mapping.flags & MAP_ANONYMOUS) != 0 && (mapping.flags & MAP_PRIVATE) != 0)
    return raw::Protect(at, length, PROT_READ | PROT_WRITE);  // it is already
  if (run.count > 1 && mapping.fd >= 0)  // a whole gap is copied by the kernel, page by page, when it is written to
    return raw::MapFile(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, mapping.fd, FileOffsetOf(slot, run.first));
  char* copy = raw::MapAnonymous(nullptr, length, PROT_READ | PROT_WRITE);
  if (copy == nullptr) return false;
  const bool copied = raw::CopyFrom(copy, at, length) == static_cast<int64_t>(length) ||
                      raw::ReadFile(mapping.fd, copy, length, FileOffsetOf(slot, run.first)) > 0;
  if (copied && raw::MoveOnto(copy, at, length)) return true;
  raw::Unmap(copy, length);
  return false;
}

bool MakePrivate(Slot* slot, uint64_t* pages, Run run, Kind kind) {
  if (TooManyIslands(slot)) {
    run = Widen(slot, pages, run, 0, slot->mapping.fd >= 0 ? UINT64_MAX : kLargestWindow);
    Revoke(slot, run);
  }
  const bool done = CopyToPrivate(slot, run);
  if (!done) Restore(slot, pages, run);
  Put(pages, run, done ? Page::kPrivate : Page::kLive);
  if (done) Record(slot, kind, run, true);
  return done;
}

Kind WhyUnreadable(const Slot* slot, const Fault& fault, uint64_t covered) {
  const bool anonymous = (slot->mapping.flags & MAP_ANONYMOUS) != 0;
  if (fault.memory_error) return Kind::kIo;
  if (slot->mapping.fd < 0) return anonymous ? Kind::kNoSpace : Kind::kTruncated;
  if (covered == UINT64_MAX) return Kind::kIo;
  if (fault.page >= covered) return Kind::kTruncated;
  return fault.write || raw::FileSystemFull(slot->mapping.fd) ? Kind::kNoSpace : Kind::kIo;
}

bool ReplaceUnreadable(Slot* slot, uint64_t* pages, Run run, const Fault& fault) {
  const uint64_t covered = PagesCovered(slot);
  const Kind kind = WhyUnreadable(slot, fault, covered);
  if (kind == Kind::kTruncated && slot->mapping.fd >= 0 && !fault.write)
    return ZerosBeyondEnd(slot, pages, run, covered);
  return MapZeros(slot, pages, run, kind, fault.write, fault.write);
}

bool Retry(Slot* slot, uint64_t* pages, uintptr_t address, Run run, Page state) {
  Put(pages, run, state);
  return Again(slot, address);
}

bool FixLive(Slot* slot, uint64_t* pages, uintptr_t address, const Fault& fault) {
  Run run{fault.page, 1};
  char* at = At(slot, fault.page);
  if (slot->tomb) {
    run = WidenAhead(slot, pages, run, 0);
    return MapZeros(slot, pages, run, Kind::kUnmapped, true, fault.write);
  }
  const bool writable = (ProtOf(slot, pages, fault.page) & PROT_WRITE) != 0;
  if (writable && !Revoke(slot, run)) return Put(pages, run, Page::kLive), false;
  if (fault.memory_error || !raw::Readable(at)) return ReplaceUnreadable(slot, pages, run, fault);
  if (!writable) {
    return fault.write ? MakePrivate(slot, pages, run, Kind::kReadOnly) : Retry(slot, pages, address, run, Page::kLive);
  }
  Restore(slot, pages, run);
  if (!fault.write || raw::Writable(at)) return Retry(slot, pages, address, run, Page::kLive);
  Revoke(slot, run);
  if (raw::Readable(at)) return MakePrivate(slot, pages, run, Kind::kNoSpace);
  Restore(slot, pages, run);  // cut short in the meantime: the next fault finds that
  return Retry(slot, pages, address, run, Page::kLive);
}

bool FixZero(Slot* slot, uint64_t* pages, uintptr_t address, const Fault& fault) {
  const Run run{fault.page, 1};
  if (!fault.segv || !fault.write) return Retry(slot, pages, address, run, Page::kZero);
  const bool done = raw::Protect(At(slot, fault.page), slot->mapping.page_size, PROT_READ | PROT_WRITE);
  const bool writable = (ProtOf(slot, pages, fault.page) & PROT_WRITE) != 0;
  Put(pages, run, done ? Page::kPrivate : Page::kZero);
  if (done) Record(slot, writable ? Kind::kLostWrite : Kind::kReadOnly, run, true);
  return done;
}

bool FixPrivate(Slot* slot, uint64_t* pages, uintptr_t address, const Fault& fault) {
  const Run run{fault.page, 1};
  if (!fault.memory_error && raw::Readable(At(slot, fault.page)))
    return Retry(slot, pages, address, run, Page::kPrivate);
  // its content is gone: what was written may have been written again since
  return MapZeros(slot, pages, run, fault.memory_error ? Kind::kIo : Kind::kTruncated, true, true);
}

}  // namespace

uint64_t PagesBytes(const Slot* slot) {
  return ((PageCount(slot) / kPagesInWord + 1) * sizeof(uint64_t) + 4095) & ~uint64_t{4095};
}

uint64_t* PagesOf(Slot* slot) {
  uint64_t* pages = slot->pages.load();
  if (pages != nullptr) return pages;
  char* made = raw::MapAnonymous(nullptr, PagesBytes(slot), PROT_READ | PROT_WRITE);
  if (made == nullptr) return nullptr;
  if (slot->pages.compare_exchange_strong(pages, reinterpret_cast<uint64_t*>(made)))
    return reinterpret_cast<uint64_t*>(made);
  raw::Unmap(made, PagesBytes(slot));
  return pages;
}

void ForgetIslands(Slot* slot) {
  all_islands.fetch_sub(slot->islands.exchange(0));
}

bool Fix(Slot* slot, uintptr_t address, const Fault& fault) {
  uint64_t* pages = PagesOf(slot);
  if (pages == nullptr) return false;
  for (;;) {
    const Page page = Get(pages, fault.page);
    if (page == Page::kBusy) {
      raw::Yield();
      return true;
    }
    if (!Take(pages, fault.page, page)) continue;
    if (page == Page::kLive) return FixLive(slot, pages, address, fault);
    if (page == Page::kZero) return FixZero(slot, pages, address, fault);
    return FixPrivate(slot, pages, address, fault);
  }
}

}  // namespace core::guard
