// Outside of the handler: what was lost, another access, and giving pages back to their file.
#include <cerrno>
#include <cstring>

#include "core/copy.h"
#include "core/guard_states.h"

namespace core::guard {
namespace {

// Of a page that nobody works on.
Page Settled(uint64_t* pages, uint64_t page) {
  while (Get(pages, page) == Page::kBusy) raw::Yield();
  return Get(pages, page);
}

// Owns the page in this state, whatever access it has.
bool TakeIn(uint64_t* pages, uint64_t page, Page state) {
  const uint64_t entry = Entry(pages, page);
  return (entry & kState) == static_cast<uint64_t>(state) && Take(pages, page, entry);
}

bool HasLost(Page state) {
  return state == Page::kLost || state == Page::kSpreadZeros || state == Page::kSpreadFile;
}

// Calls each(page, state) on every page of [first, end) that was replaced, until one returns false.
template <class Each>
void ForEachReplaced(uint64_t* pages, uint64_t first, uint64_t end, Each each) {
  for (uint64_t page = first; page < end; ++page) {
    if (page % kPagesInWord == 0) {
      // most words have nothing
      while (page + kPagesInWord <= end && WordOf(pages, page).load() == 0) page += kPagesInWord;
      if (page >= end) return;
    }
    const Page state = Settled(pages, page);
    if (state != Page::kLive && state != Page::kBusy && !each(page, state)) return;
  }
}

// The part of a page that is the mapping's.
struct Part {
  uint64_t begin;
  uint64_t length;
};

Part PartOf(const Slot* slot, uint64_t page) {
  const Mapping& mapping = slot->mapping;
  const uint64_t start = page * mapping.page_size;
  const uint64_t begin = std::max(start, mapping.lead);
  return {begin - start, std::min(start + mapping.page_size, mapping.lead + mapping.length) - begin};
}

// Does the file reach far enough to have the page back? What is written back must not make it longer.
bool Covered(const Slot* slot, uint64_t page, Page state, const RefreshRequest& request) {
  const Part part = PartOf(slot, page);
  const uint64_t needed = request.write_back && HasLost(state) ? part.begin + part.length : 1;
  return FileOffsetOf(slot, page) + needed <= request.file_size;
}

bool Untouched(const Slot* slot, uint64_t page, Page state, const char* bytes, char* scratch) {
  const uint64_t size = slot->mapping.page_size;
  if (state == Page::kSpreadZeros) return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, size - 1) == 0;
  if (state != Page::kSpreadFile) return false;
  const Part part = PartOf(slot, page);
  const int64_t count = raw::ReadFile(slot->mapping.fd, scratch, size, FileOffsetOf(slot, page));
  return count >= static_cast<int64_t>(part.begin + part.length) &&
         std::memcmp(bytes + part.begin, scratch + part.begin, part.length) == 0;
}

// Hands on what was written to an owned page. True: the page may go back to the file. Otherwise it stays as it is,
// which is a failure where *error is set.
bool Save(const Slot* slot, uint64_t page, Page state, const RefreshRequest& request, char* scratch, int* error) {
  if (!HasLost(state)) return true;
  const uint64_t size = slot->mapping.page_size;
  char* bytes = scratch + size;
  if (!Revoke(slot, {page, 1})) return *error = errno, false;
  const Result<size_t> copied = CopyFrom(bytes, At(slot, page), size);
  if (!copied.ok() || copied.value() < size) return false;
  if (Untouched(slot, page, state, bytes, scratch)) return true;
  // what was written to a private mapping is this process's own, as it was meant to be
  if ((slot->mapping.flags & MAP_PRIVATE) != 0) return false;
  const Part part = PartOf(slot, page);
  bytes += part.begin;
  if (request.keep != nullptr) request.keep(request.context, OffsetOf(slot, page), bytes, part.length);
  if (!request.write_back) return true;
  const int64_t count = raw::WriteFile(slot->mapping.fd, bytes, part.length, FileOffsetOf(slot, page) + part.begin);
  if (count < static_cast<int64_t>(part.length)) *error = count < 0 ? errno : ENOSPC;
  return *error == 0;
}

// Owned pages that were replaced get another access: what they become.
Page Reprotect(const Slot* slot, Run run, Page state, int prot) {
  if (run.count == 0 || state != Page::kStray || (prot & PROT_WRITE) == 0) return state;
  if ((slot->mapping.flags & MAP_PRIVATE) != 0)
    return (slot->mapping.flags & MAP_ANONYMOUS) != 0 ? Page::kLive : Page::kLost;
  // what is written from now on is meant for the file: the first such write is a fault
  return Revoke(slot, run) ? Page::kStray : Page::kLost;
}

// All of a mapping of which no page was ever looked at.
Status ProtectUntouched(Slot* slot, int prot, bool* untouched) {
  Suspend(slot);
  *untouched = slot->pages.load() == nullptr;
  const bool done = *untouched && raw::Protect(slot->mapping.base, slot->mapping.span, prot);
  const int error = errno;
  if (done) slot->mapping.prot = prot;
  Resume(slot, true);
  return done ? Status(Unit{}) : Status(Failure{error, "mprotect"});
}

}  // namespace

bool HasReplaced(const Slot* slot) {
  uint64_t* pages = slot->pages.load();
  for (uint64_t page = 0; pages != nullptr && page < PageCount(slot); page += kPagesInWord)
    if ((WordOf(pages, page).load() & ~kAllFlipped) != 0) return true;
  return false;
}

Lost LostWrites(Slot* slot, const char* address, uint64_t length) {
  Lost lost;
  uint64_t* pages = slot->pages.load();
  if (pages == nullptr || slot->tomb || (slot->mapping.flags & MAP_SHARED) == 0 || length == 0) return lost;
  const auto first = static_cast<uint64_t>(address - slot->mapping.base) / slot->mapping.page_size;
  ForEachReplaced(pages, first, first + length / slot->mapping.page_size, [&](uint64_t page, Page state) {
    if (HasLost(state) && lost.pages++ == 0) lost.first = OffsetOf(slot, page);
    return true;
  });
  return lost;
}

Status Protect(Slot* slot, const char* address, uint64_t length, int prot) {
  Mapping& mapping = slot->mapping;
  const bool whole = length == mapping.span;
  if (whole) {
    bool untouched = false;
    const Status done = ProtectUntouched(slot, prot, &untouched);
    if (untouched) return done;
  }
  uint64_t* pages = PagesOf(slot);
  if (pages == nullptr) return Failure{ENOMEM, "mprotect"};
  const auto first = static_cast<uint64_t>(address - mapping.base) / mapping.page_size;
  const uint64_t end = first + length / mapping.page_size;
  for (uint64_t page = first; page < end;) {
    const Page state = Settled(pages, page);
    Run run{page, 0};
    const uint64_t most = state == Page::kLive ? end - page : 1;
    while (run.count < most && TakeIn(pages, page + run.count, state)) ++run.count;
    const bool done = run.count == 0 || state != Page::kLive || ProtectRun(slot, run, prot);
    const int error = errno;
    for (; done && page < run.first + run.count; ++page) SetFlipped(pages, page, prot != mapping.prot);
    Put(pages, run, Reprotect(slot, run, state, prot));
    if (!done) return Failure{error, "mprotect"};
  }
  if (!whole) return Unit{};
  Suspend(slot);
  for (uint64_t page = 0; page < end; page += kPagesInWord) WordOf(pages, page).fetch_and(~kAllFlipped);
  mapping.prot = prot;
  Resume(slot, true);
  return Unit{};
}

Result<uint64_t> Refresh(Slot* slot, const RefreshRequest& request) {
  const Mapping& mapping = slot->mapping;
  uint64_t* pages = slot->pages.load();
  if (pages == nullptr || slot->tomb) return uint64_t{0};
  char* scratch = raw::MapAnonymous(nullptr, 2 * mapping.page_size, PROT_READ | PROT_WRITE);
  if (scratch == nullptr) return Failure{errno, "mmap"};
  uint64_t refreshed = 0;
  Failure failure{};
  ForEachReplaced(pages, 0, PageCount(slot), [&](uint64_t page, Page state) {
    const Run run{page, 1};
    if (!Covered(slot, page, state, request) || !TakeIn(pages, page, state)) return true;
    const bool saved = Save(slot, page, state, request, scratch, &failure.error);
    if (failure.error != 0) failure.syscall = "pwrite";
    if (saved && raw::MapFile(At(slot, page), mapping.page_size, ProtOf(slot, pages, page), mapping.flags, mapping.fd,
                              FileOffsetOf(slot, page))) {
      Put(pages, run, Page::kLive);
      ++refreshed;
      return true;
    }
    if (saved) failure = {errno, "mmap"};
    Restore(slot, pages, run, state);
    Put(pages, run, state);
    return failure.error == 0;
  });
  raw::Unmap(scratch, 2 * mapping.page_size);
  if (failure.error != 0) return failure;
  return refreshed;
}

}  // namespace core::guard
