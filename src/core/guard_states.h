// The state of each page of a slot: four bits, changed by whoever owns the page.
#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <atomic>

#include "core/guard_internal.h"

namespace core::guard {

enum class Page : uint8_t {
  kLive = 0,  // the mapping's own
  kBusy = 1,  // owned: somebody looks at it and replaces it, and others that fault on it come back later
  // Replaced, by memory of this process alone:
  kZero = 2,         // zeros that nobody has written to, read-only
  kStray = 3,        // written to though it was not to be: the file never gets that
  kLost = 4,         // written to, and meant for the file
  kSpreadZeros = 5,  // writable along with a lost page; untouched as long as it is all zeros
  kSpreadFile = 6,   // likewise; untouched as long as it is what the file has
};

struct Run {
  uint64_t first;
  uint64_t count;
};

inline constexpr uint64_t kPagesInWord = 16;
inline constexpr uint64_t kEntry = 15;
inline constexpr uint64_t kState = 7;
inline constexpr uint64_t kFlipped = 8;  // protect() gave the page the access that the mapping has not
inline constexpr uint64_t kAllFlipped = 0x8888'8888'8888'8888;

inline char* At(const Slot* slot, uint64_t page) {
  return slot->mapping.base + page * slot->mapping.page_size;
}

inline uint64_t BytesOf(const Slot* slot, Run run) {
  return run.count * slot->mapping.page_size;
}

inline uint64_t PageCount(const Slot* slot) {
  return slot->mapping.span / slot->mapping.page_size;
}

// In bytes of the mapping.
inline uint64_t OffsetOf(const Slot* slot, uint64_t page) {
  const uint64_t start = page * slot->mapping.page_size;
  return start > slot->mapping.lead ? start - slot->mapping.lead : 0;
}

inline uint64_t FileOffsetOf(const Slot* slot, uint64_t page) {
  return slot->mapping.offset + page * slot->mapping.page_size;
}

inline std::atomic_ref<uint64_t> WordOf(uint64_t* pages, uint64_t page) {
  return std::atomic_ref<uint64_t>(pages[page / kPagesInWord]);
}

inline uint64_t Shift(uint64_t page) {
  return page % kPagesInWord * 4;
}

inline uint64_t Entry(uint64_t* pages, uint64_t page) {
  return WordOf(pages, page).load() >> Shift(page) & kEntry;
}

inline Page Get(uint64_t* pages, uint64_t page) {
  return static_cast<Page>(Entry(pages, page) & kState);
}

// Is the page to be written to, while it is live?
inline bool MayWrite(const Slot* slot, uint64_t* pages, uint64_t page) {
  const bool flipped = (Entry(pages, page) & kFlipped) != 0;
  return ((slot->mapping.prot & PROT_WRITE) != 0) != flipped;
}

inline int ProtOf(const Slot* slot, uint64_t* pages, uint64_t page) {
  return MayWrite(slot, pages, page) ? PROT_READ | PROT_WRITE : PROT_READ;
}

// Owns the page, if it is still what it was.
inline bool Take(uint64_t* pages, uint64_t page, uint64_t entry) {
  const std::atomic_ref<uint64_t> word = WordOf(pages, page);
  const uint64_t busy = (entry & kFlipped) | static_cast<uint64_t>(Page::kBusy);
  uint64_t seen = word.load();
  while ((seen >> Shift(page) & kEntry) == entry) {
    if (word.compare_exchange_weak(seen, (seen & ~(kEntry << Shift(page))) | busy << Shift(page))) return true;
  }
  return false;
}

inline void Put(uint64_t* pages, Run run, Page to) {
  for (uint64_t page = run.first; page < run.first + run.count; ++page) {
    const std::atomic_ref<uint64_t> word = WordOf(pages, page);
    const uint64_t state = static_cast<uint64_t>(to) << Shift(page);
    uint64_t seen = word.load();
    while (!word.compare_exchange_weak(seen, (seen & ~(kState << Shift(page))) | state)) {
    }
  }
}

inline void SetFlipped(uint64_t* pages, uint64_t page, bool flipped) {
  const uint64_t bit = kFlipped << Shift(page);
  if (flipped) {
    WordOf(pages, page).fetch_or(bit);
  } else {
    WordOf(pages, page).fetch_and(~bit);
  }
}

inline bool ProtectRun(const Slot* slot, Run run, int prot) {
  return raw::Protect(At(slot, run.first), BytesOf(slot, run), prot);
}

// Takes writing away from an owned run.
inline bool Revoke(const Slot* slot, Run run) {
  return ProtectRun(slot, run, PROT_READ);
}

// Gives writing back, to pages that all were in the same state. A stray page cannot be written to where writing is
// allowed: its first such write is a fault of its own.
inline void Restore(const Slot* slot, uint64_t* pages, Run run, Page state) {
  const bool may_write = MayWrite(slot, pages, run.first);
  const bool of_state = state == Page::kStray ? !may_write : state != Page::kZero;
  if (state == Page::kLive ? may_write : of_state) ProtectRun(slot, run, PROT_READ | PROT_WRITE);
}

// The states of a slot's pages, made when first needed; nullptr where there is no memory for them.
uint64_t* PagesOf(Slot* slot);

// guard_widen.cc. An owned run, and neighbours that are as its first page was, owned and revoked like it:
// down to `floor`, which is where the file ends if that is what they are replaced for;
Run WidenTogether(Slot* slot, uint64_t* pages, Run run, Page state, uint64_t floor, uint64_t most = UINT64_MAX);
// a sequential reader gets twice as many each time;
Run WidenAhead(Slot* slot, uint64_t* pages, Run run, uint64_t floor);
// as far as they cannot be read either.
Run WidenUnreadable(Slot* slot, uint64_t* pages, Run run, Page state);
// Writes down that the run was replaced. Area: pages in this state are one area with their neighbours; kBusy: never.
void Record(Slot* slot, Kind kind, Run run, bool write, Page area);

}  // namespace core::guard
