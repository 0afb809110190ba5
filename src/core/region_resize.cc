// mremap(2), with the old address kept where somebody may still read there.
#include <sys/mman.h>

#include <cerrno>
#include <cstring>

#include "core/limits.h"
#include "core/region.h"
#include "core/syscalls.h"

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

namespace core {

Result<char*> Region::MovePages(const Region& next, bool leave_range, int fd) const {
  if (span_ == 0 && next.span_ == 0) return base_;
  if (span_ == 0) {
    if (const Status admitted = AdmitArea(); !admitted.ok()) return admitted.failure();
    return sys::Mmap(nullptr, next.span_, request_.prot, request_.flags, fd, request_.offset - next.lead_);
  }
  if (next.span_ == 0) return next.base_;
  if (!leave_range) {
    return next.span_ == span_ ? base_ : sys::Mremap(base_, span_, next.span_, MREMAP_MAYMOVE, nullptr);
  }
  // somebody may still read at the old address: the pages leave, the range stays taken
  if (const Status admitted = AdmitArea(); !admitted.ok()) return admitted.failure();
  const Result<char*> moved = sys::Mremap(base_, span_, span_, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, nullptr);
  if (!moved.ok() || next.span_ == span_) return moved;
  const Result<char*> sized = sys::Mremap(moved.value(), span_, next.span_, MREMAP_MAYMOVE, nullptr);
  if (!sized.ok()) {
    const Result<char*> back = sys::Mremap(moved.value(), span_, span_, MREMAP_MAYMOVE | MREMAP_FIXED, base_);
    (void)back;  // it came from there a moment ago and the range was kept
  }
  return sized;
}

Status Region::Resizable() const {
  if (users_ > 1) return Failure{EBUSY, "mremap", reason::kAttached};
  if (ops_ > 0) return Failure{EBUSY, "mremap", reason::kBusy};
  if (mixed_) return Failure{EFAULT, "mremap", reason::kSplit};
  if (slot_ != nullptr && guard::HasReplaced(slot_)) return Failure{EBUSY, "mremap", reason::kReplaced};
  return Unit{};
}

Result<Region*> Region::MoveAway(uint64_t length, int fd, bool leaves_pin) {
  if (const Status resizable = Resizable(); !resizable.ok()) return resizable.failure();
  if (!Within(kLargest, request_.offset, length)) return Failure{EOVERFLOW, "mremap"};
  const bool leave_range = leaves_pin || pins_ > 0;
  MapRequest request = request_;
  request.length = length;
  auto* next = new Region(request);
  if (slot_ != nullptr) guard::Suspend(slot_);
  const Result<char*> base = MovePages(*next, leave_range, request_.keep_fd ? request_.fd : fd);
  if (slot_ != nullptr) guard::Resume(slot_, !base.ok() || leave_range);
  if (!base.ok()) {
    delete next;
    // the kernel moves one area, and parts that were treated differently are several
    const bool split = base.failure().error == EFAULT;
    return split ? Failure{EFAULT, "mremap", reason::kSplit} : base.failure();
  }
  next->base_ = base.value();
  File* const file = file_;
  file_ = nullptr;  // handed on, like the descriptor below
  if (!leave_range) Unguard();
  if (next->Faultable()) {
    next->Guard(file);
  } else if (file != nullptr) {
    file->Release();
  }
  std::memcpy(next->id_, id_, sizeof id_);
  std::memcpy(next->label_, label_, sizeof label_);
  next->ListLocked();
  id_[0] = '\0';
  request_.keep_fd = false;  // handed on
  if (!leave_range && next->span_ > 0) state_ = State::kUnmapped;
  --users_;
  if (leaves_pin) ++pins_;
  return next;
}

Result<Region*> Region::Resize(uint64_t length, int fd, bool leaves_pin) {
  list_lock_.Lock();
  lock_.Lock();
  const Result<Region*> next = MoveAway(length, fd, leaves_pin);
  list_lock_.Unlock();
  if (next.ok()) {
    (void)SettleAndUnlock();  // the pages have moved: what is left here can only be late in going
  } else {
    lock_.Unlock();
  }
  return next;
}

}  // namespace core
