#include <cerrno>

#include "core/guard_states.h"

namespace core::guard {
namespace {

// Calls each(page, state) on every page of [first, end) that was replaced.
template <class Each>
void ForEachReplaced(uint64_t* pages, uint64_t first, uint64_t end, Each each) {
  for (uint64_t page = first; page < end; ++page) {
    if (page % kPagesInWord == 0) {
      // most words have nothing
      while (page + kPagesInWord <= end && std::atomic_ref<uint64_t>(pages[page / kPagesInWord]).load() == 0)
        page += kPagesInWord;
      if (page >= end) return;
    }
    const Page state = Get(pages, page);
    if ((state == Page::kPrivate || state == Page::kZero) && !each(page, state)) return;
  }
}

// The part of a page that is of the mapping and of the file: what a write-back may touch.
struct Part {
  uint64_t begin;
  uint64_t end;
};

Part PartOf(const Slot* slot, uint64_t page, uint64_t file_size) {
  const Mapping& mapping = slot->mapping;
  const uint64_t start = page * mapping.page_size;
  const uint64_t begin = std::max(start, mapping.lead);
  const uint64_t last = std::min(mapping.lead + mapping.length, file_size - std::min(file_size, mapping.offset));
  const uint64_t end = std::min(start + mapping.page_size, last);
  return {begin - start, end > begin ? end - start : begin - start};
}

// 0, or an errno.
int SaveWritten(const Slot* slot, uint64_t page, const RefreshRequest& request) {
  const char* at = At(slot, page);
  const Part part = PartOf(slot, page, request.file_size);
  const uint64_t length = part.end - part.begin;
  if (length == 0) return 0;
  if (request.keep != nullptr) request.keep(request.context, OffsetOf(slot, page), at + part.begin, length);
  if (!request.write_back) return 0;
  const int64_t count =
      raw::WriteFile(slot->mapping.fd, at + part.begin, length, FileOffsetOf(slot, page) + part.begin);
  if (count < 0) return errno;
  return static_cast<uint64_t>(count) == length ? 0 : ENOSPC;
}

}  // namespace

bool HasReplaced(const Slot* slot) {
  return slot->islands.load() > 0;
}

Lost LostWrites(Slot* slot, const char* address, uint64_t length) {
  Lost lost;
  uint64_t* pages = slot->pages.load();
  if (pages == nullptr || slot->tomb || (slot->mapping.flags & MAP_SHARED) == 0 || length == 0) return lost;
  const auto first = static_cast<uint64_t>(address - slot->mapping.base) / slot->mapping.page_size;
  ForEachReplaced(pages, first, first + length / slot->mapping.page_size, [&](uint64_t page, Page state) {
    const bool meant = (ProtOf(slot, pages, page) & PROT_WRITE) != 0;
    if (state != Page::kPrivate || !meant) return true;
    if (lost.pages++ == 0) lost.first = OffsetOf(slot, page);
    return true;
  });
  return lost;
}

Status Protect(Slot* slot, const char* address, uint64_t length, int prot) {
  Mapping& mapping = slot->mapping;
  if (length == mapping.span && slot->pages.load() == nullptr) return ProtectWhole(slot, prot);
  uint64_t* pages = PagesOf(slot);
  if (pages == nullptr) return Failure{ENOMEM, "mprotect"};
  const auto first = static_cast<uint64_t>(address - mapping.base) / mapping.page_size;
  const uint64_t end = first + length / mapping.page_size;
  for (uint64_t page = first; page < end;) {
    Run run{page, 0};
    while (page + run.count < end && Take(pages, page + run.count, Page::kLive)) ++run.count;
    if (run.count == 0 && Get(pages, page) == Page::kBusy) {
      raw::Yield();
      continue;
    }
    const bool done = run.count == 0 || raw::Protect(At(slot, page), BytesOf(slot, run), prot);
    const int error = errno;
    // a page that was replaced keeps its content; what a write to it means changes
    const uint64_t next = page + std::max<uint64_t>(run.count, 1);
    for (; done && page < next; ++page) SetFlipped(pages, page, prot != mapping.prot);
    Put(pages, run, Page::kLive);
    if (!done) return Failure{error, "mprotect"};
  }
  return Unit{};
}

Result<uint64_t> Refresh(Slot* slot, const RefreshRequest& request) {
  const Mapping& mapping = slot->mapping;
  uint64_t* pages = slot->pages.load();
  if (pages == nullptr || slot->tomb) return uint64_t{0};
  uint64_t refreshed = 0;
  Failure failure{};
  ForEachReplaced(pages, 0, PageCount(slot), [&](uint64_t page, Page state) {
    const Run run{page, 1};
    const bool covered = FileOffsetOf(slot, page) < request.file_size;
    if (!covered || !Take(pages, page, state)) return true;
    const bool written = state == Page::kPrivate;
    int error = !written || Revoke(slot, run) ? 0 : errno;
    if (written && error == 0) error = SaveWritten(slot, page, request);
    if (error != 0) failure = {error, "pwrite"};
    if (error == 0 && !raw::MapFile(At(slot, page), mapping.page_size, ProtOf(slot, pages, page), mapping.flags,
                                    mapping.fd, FileOffsetOf(slot, page)))
      failure = {errno, "mmap"};
    if (failure.error == 0) {
      Put(pages, run, Page::kLive);
      ++refreshed;
      return true;
    }
    if (written) raw::Protect(At(slot, page), mapping.page_size, PROT_READ | PROT_WRITE);
    Put(pages, run, state);
    return false;
  });
  if (failure.error != 0) return failure;
  return refreshed;
}

}  // namespace core::guard
