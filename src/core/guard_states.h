// The state of each page of a slot: four bits, changed by whoever owns the page.
#pragma once
#include <sys/mman.h>

#include <algorithm>
#include <atomic>

#include "core/guard_internal.h"

namespace core::guard {

// A page is owned (kBusy) while it is looked at and replaced; others that fault on it come back later.
enum class Page : uint8_t {
  kLive = 0,     // the mapping's own
  kBusy = 1,     // somebody works on it
  kPrivate = 2,  // anonymous and writable: content that is in no file
  kZero = 3,     // anonymous and read-only: nobody has written to it
};

struct Run {
  uint64_t first;
  uint64_t count;
};

inline constexpr uint64_t kPagesInWord = 16;
inline constexpr uint64_t kStateBits = 3;
inline constexpr uint64_t kFlipped = 4;  // protect() gave the page the access that the mapping has not

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

inline uint64_t Entry(uint64_t* pages, uint64_t page) {
  return std::atomic_ref<uint64_t>(pages[page / kPagesInWord]).load() >> (page % kPagesInWord * 4) & 15U;
}

inline Page Get(uint64_t* pages, uint64_t page) {
  return static_cast<Page>(Entry(pages, page) & kStateBits);
}

// What the page may be used for while it is live.
inline int ProtOf(const Slot* slot, uint64_t* pages, uint64_t page) {
  const bool flipped = (Entry(pages, page) & kFlipped) != 0;
  return flipped ? slot->mapping.prot ^ PROT_WRITE : slot->mapping.prot;
}

// Owns the page, if it is still what it was.
inline bool Take(uint64_t* pages, uint64_t page, Page from) {
  const std::atomic_ref<uint64_t> word(pages[page / kPagesInWord]);
  const uint64_t shift = page % kPagesInWord * 4;
  uint64_t seen = word.load();
  while ((seen >> shift & kStateBits) == static_cast<uint64_t>(from)) {
    const uint64_t busy = (seen & ~(kStateBits << shift)) | (static_cast<uint64_t>(Page::kBusy) << shift);
    if (word.compare_exchange_weak(seen, busy)) return true;
  }
  return false;
}

inline void Put(uint64_t* pages, Run run, Page to) {
  for (uint64_t page = run.first; page < run.first + run.count; ++page) {
    const std::atomic_ref<uint64_t> word(pages[page / kPagesInWord]);
    const uint64_t shift = page % kPagesInWord * 4;
    uint64_t seen = word.load();
    while (!word.compare_exchange_weak(seen, (seen & ~(kStateBits << shift)) | (static_cast<uint64_t>(to) << shift))) {
    }
  }
}

inline void SetFlipped(uint64_t* pages, uint64_t page, bool flipped) {
  const std::atomic_ref<uint64_t> word(pages[page / kPagesInWord]);
  const uint64_t bit = kFlipped << (page % kPagesInWord * 4);
  if (flipped) {
    word.fetch_or(bit);
  } else {
    word.fetch_and(~bit);
  }
}

// Takes writing away from an owned run, and gives it back.
inline bool Revoke(const Slot* slot, Run run) {
  return raw::Protect(At(slot, run.first), BytesOf(slot, run), PROT_READ);
}

inline void Restore(const Slot* slot, uint64_t* pages, Run run) {
  for (uint64_t page = run.first; page < run.first + run.count;) {
    const int prot = ProtOf(slot, pages, page);
    uint64_t end = page + 1;
    while (end < run.first + run.count && ProtOf(slot, pages, end) == prot) ++end;
    raw::Protect(At(slot, page), (end - page) * slot->mapping.page_size, prot);
    page = end;
  }
}

// The states of a slot's pages, made when first needed; nullptr where there is no memory for them.
uint64_t* PagesOf(Slot* slot);

}  // namespace core::guard
