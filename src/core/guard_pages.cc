// What becomes of a page that faulted. Rules that cost a lost write each to find:
//  - A page is owned while it is looked at and replaced.
//  - Before it is replaced, writing to it is revoked, and only then is it looked at: otherwise the file
//    comes back in between, another thread's store succeeds, and is replaced.
//  - What can keep its content keeps it, in anonymous memory, where no truncation reaches it.
//  - Zeros are mapped read-only: the first store into them is a fault of its own, and is counted.
#include <unistd.h>

#include "core/guard_states.h"

namespace core::guard {
namespace {

constexpr uint64_t kLargestCopy = 512;  // pages

// The page is as it should be: another thread was faster, or the file came back. Faults that only repeat, one right
// after the other, are somebody else's doing, and are given up.
bool Again(Slot* slot) {
  constexpr uint32_t kGiveUp = 10'000;
  constexpr uint64_t kPause = 1'000;  // microseconds in which the program did something else
  const uint64_t now = raw::Microseconds();
  if (now - slot->repeated_at.exchange(now) > kPause) slot->repeats.store(0);
  return slot->repeats.fetch_add(1) < kGiveUp;
}

bool Retry(Slot* slot, uint64_t* pages, Run run, Page state) {
  Put(pages, run, state);
  return Again(slot);
}

// The faulting page of the run gets a state of its own, last: until then nobody else touches it.
void PutAround(uint64_t* pages, Run run, uint64_t page, Page state, Page others) {
  Put(pages, {run.first, page - run.first}, others);
  Put(pages, {page + 1, run.first + run.count - page - 1}, others);
  Put(pages, {page, 1}, state);
}

Page Written(const Slot* slot, uint64_t* pages, uint64_t page) {
  return MayWrite(slot, pages, page) && !slot->tomb ? Page::kLost : Page::kStray;
}

// Where the file ends now, in pages of the mapping. UINT64_MAX: cannot be told.
uint64_t PagesCovered(const Slot* slot) {
  const int64_t size = raw::FileSize(slot->mapping.fd);
  if (size < 0) return UINT64_MAX;
  const uint64_t start = slot->mapping.offset;
  const auto end = static_cast<uint64_t>(size);
  return end <= start ? 0 : (end - start + slot->mapping.page_size - 1) / slot->mapping.page_size;
}

// Zeros over a run that is owned and was in state `from`; `to` is what the page becomes that faulted.
bool MapZeros(Slot* slot, uint64_t* pages, Run run, Kind kind, const Fault& fault, Page from, Page to) {
  const bool writable = to != Page::kZero;
  const int prot = writable ? PROT_READ | PROT_WRITE : PROT_READ;
  const bool done = raw::MapAnonymous(At(slot, run.first), BytesOf(slot, run), prot) != nullptr;
  if (done) {
    PutAround(pages, run, fault.page, to, to == Page::kLost ? Page::kSpreadZeros : to);
    Record(slot, kind, run, fault.write, writable ? Page::kLost : Page::kZero);
  } else {
    Put(pages, run, from);
  }
  return done;
}

// Behind the end of the file, whose length is known.
bool ZerosBeyondEnd(Slot* slot, uint64_t* pages, Run run, const Fault& fault, uint64_t covered) {
  const Page to = fault.write ? Written(slot, pages, fault.page) : Page::kZero;
  run = fault.write ? WidenTogether(slot, pages, run, Page::kLive, covered) : WidenAhead(slot, pages, run, covered);
  // once more, now that nobody can write: a file that came back is used again
  if (run.first >= PagesCovered(slot)) return MapZeros(slot, pages, run, Kind::kTruncated, fault, Page::kLive, to);
  Restore(slot, pages, run, Page::kLive);
  return Retry(slot, pages, run, Page::kLive);
}

bool IsPrivateMemory(const Mapping& mapping) {
  return (mapping.flags & MAP_ANONYMOUS) != 0 && (mapping.flags & MAP_PRIVATE) != 0;
}

// The run, which is owned and cannot be written to, keeps its bytes, and can be written to.
bool CopyToPrivate(const Slot* slot, Run run) {
  const Mapping& mapping = slot->mapping;
  char* at = At(slot, run.first);
  const uint64_t length = BytesOf(slot, run);
  if (IsPrivateMemory(mapping)) return raw::Protect(at, length, PROT_READ | PROT_WRITE);
  if (run.count > 1 && mapping.fd >= 0)  // copied by the kernel, page by page, when it is written to
    return raw::MapFile(at, length, PROT_READ | PROT_WRITE, MAP_PRIVATE, mapping.fd, FileOffsetOf(slot, run.first));
  char* copy = raw::MapAnonymous(nullptr, length, PROT_READ | PROT_WRITE);
  if (copy == nullptr) return false;
  const bool copied = raw::CopyFrom(copy, at, length) == static_cast<int64_t>(length) ||
                      raw::ReadFile(mapping.fd, copy, length, FileOffsetOf(slot, run.first)) > 0;
  if (copied && raw::MoveOnto(copy, at, length)) return true;
  raw::Unmap(copy, length);
  return false;
}

bool MakePrivate(Slot* slot, uint64_t* pages, Run run, const Fault& fault, Kind kind) {
  const bool copies = !IsPrivateMemory(slot->mapping) && slot->mapping.fd < 0;
  run = WidenTogether(slot, pages, run, Page::kLive, 0, copies ? kLargestCopy : UINT64_MAX);
  if (!CopyToPrivate(slot, run)) {
    // cut short in the meantime: the next fault finds that
    Restore(slot, pages, run, Page::kLive);
    return Retry(slot, pages, run, Page::kLive);
  }
  const Page to = Written(slot, pages, fault.page);
  PutAround(pages, run, fault.page, to, to == Page::kLost ? Page::kSpreadFile : to);
  // pages that were moved here are never one area with others
  Record(slot, kind, run, true, IsPrivateMemory(slot->mapping) ? to : Page::kBusy);
  return true;
}

Kind WhyUnreadable(const Slot* slot, const Fault& fault, uint64_t covered) {
  const Mapping& mapping = slot->mapping;
  if (fault.memory_error) return Kind::kIo;
  const bool from_pool = mapping.page_size > static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (mapping.fd < 0) return from_pool || (mapping.flags & MAP_ANONYMOUS) != 0 ? Kind::kNoSpace : Kind::kTruncated;
  if (covered == UINT64_MAX) return Kind::kIo;
  if (fault.page >= covered) return Kind::kTruncated;
  // a hole that there is no room to fill can be read by read(2)
  char byte = 0;
  const bool has_content = raw::ReadFile(mapping.fd, &byte, 1, FileOffsetOf(slot, fault.page)) >= 0;
  return from_pool || has_content ? Kind::kNoSpace : Kind::kIo;
}

bool ReplaceUnreadable(Slot* slot, uint64_t* pages, Run run, const Fault& fault) {
  uint64_t covered = PagesCovered(slot);
  if (fault.page < covered && covered != UINT64_MAX && !fault.memory_error) {
    // made whole again since; or cut once more since that
    if (raw::Readable(At(slot, fault.page))) {
      Restore(slot, pages, run, Page::kLive);
      return Retry(slot, pages, run, Page::kLive);
    }
    covered = PagesCovered(slot);
  }
  const Kind kind = WhyUnreadable(slot, fault, covered);
  if (kind == Kind::kTruncated && slot->mapping.fd >= 0) return ZerosBeyondEnd(slot, pages, run, fault, covered);
  if (!fault.memory_error) run = WidenUnreadable(slot, pages, run, Page::kLive);
  const Page to = fault.write ? Written(slot, pages, fault.page) : Page::kZero;
  return MapZeros(slot, pages, run, kind, fault, Page::kLive, to);
}

bool FixLive(Slot* slot, uint64_t* pages, const Fault& fault) {
  Run run{fault.page, 1};
  char* at = At(slot, fault.page);
  if (slot->tomb) {
    run = WidenAhead(slot, pages, run, 0);
    return MapZeros(slot, pages, run, Kind::kUnmapped, fault, Page::kLive, Page::kStray);
  }
  // what would succeed by now is not touched, or threads that write to one page would revoke it from each other
  if (!fault.memory_error && (fault.write ? raw::Writable(at) : raw::Readable(at)))
    return Retry(slot, pages, run, Page::kLive);
  const bool writable = MayWrite(slot, pages, fault.page);
  if (writable && !Revoke(slot, run)) return Put(pages, run, Page::kLive), false;
  if (fault.memory_error || !raw::Readable(at)) return ReplaceUnreadable(slot, pages, run, fault);
  if (!writable && fault.write) return MakePrivate(slot, pages, run, fault, Kind::kReadOnly);
  Restore(slot, pages, run, Page::kLive);
  if (!fault.write || raw::Writable(at)) return Retry(slot, pages, run, Page::kLive);
  if (Revoke(slot, run) && raw::Readable(at)) return MakePrivate(slot, pages, run, fault, Kind::kNoSpace);
  Restore(slot, pages, run, Page::kLive);  // cut short in the meantime: the next fault finds that
  return Retry(slot, pages, run, Page::kLive);
}

// The first store into zeros, or into a stray page since protect() allowed writing.
bool AllowWriting(Slot* slot, uint64_t* pages, Run run, const Fault& fault, Page state) {
  if (state == Page::kZero) run = WidenTogether(slot, pages, run, state, 0);
  if (!ProtectRun(slot, run, PROT_READ | PROT_WRITE)) return Put(pages, run, state), false;
  const Page to = Written(slot, pages, fault.page);
  PutAround(pages, run, fault.page, to, to == Page::kLost ? Page::kSpreadZeros : to);
  Record(slot, to == Page::kLost ? Kind::kLostWrite : Kind::kReadOnly, run, true, Page::kLost);
  return true;
}

bool FixZero(Slot* slot, uint64_t* pages, const Fault& fault) {
  const Run run{fault.page, 1};
  if (!fault.segv || !fault.write) return Retry(slot, pages, run, Page::kZero);
  return AllowWriting(slot, pages, run, fault, Page::kZero);
}

bool FixPrivate(Slot* slot, uint64_t* pages, const Fault& fault, Page state) {
  Run run{fault.page, 1};
  char* at = At(slot, fault.page);
  if (!fault.memory_error && raw::Readable(at)) {
    const bool stopped = state == Page::kStray && fault.write && !raw::Writable(at);
    return stopped ? AllowWriting(slot, pages, run, fault, state) : Retry(slot, pages, run, state);
  }
  // its content is gone with the end of the file; what was written may have been written again since
  if (!Revoke(slot, run)) return Put(pages, run, state), false;
  if (!fault.memory_error && raw::Readable(at)) {
    Restore(slot, pages, run, state);
    return Retry(slot, pages, run, state);
  }
  if (!fault.memory_error) run = WidenUnreadable(slot, pages, run, state);
  const Page stray = fault.write ? Written(slot, pages, fault.page) : Page::kZero;
  const Page to = state == Page::kStray ? stray : Page::kLost;
  Fault written = fault;
  written.write = true;
  return MapZeros(slot, pages, run, fault.memory_error ? Kind::kIo : Kind::kTruncated, written, state, to);
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

bool Fix(Slot* slot, const Fault& fault) {
  uint64_t* pages = PagesOf(slot);
  if (pages == nullptr) return false;
  for (;;) {
    const uint64_t entry = Entry(pages, fault.page);
    const auto state = static_cast<Page>(entry & kState);
    if (state == Page::kBusy) {
      raw::Yield();
      return true;
    }
    if (!Take(pages, fault.page, entry)) continue;
    if (state == Page::kLive) return FixLive(slot, pages, fault);
    if (state == Page::kZero) return FixZero(slot, pages, fault);
    return FixPrivate(slot, pages, fault, state);
  }
}

}  // namespace core::guard
