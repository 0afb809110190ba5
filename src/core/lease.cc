#include "core/lease.h"

#include <cerrno>

namespace core {

guard::Slot* Lease::slot() {
  const Locked locked(lock_);
  return ended_ && buffers_ == 0 ? nullptr : region_->slot();
}

Status Lease::End() {
  const Locked locked(lock_);
  if (ended_) return Unit{};
  ended_ = true;
  return region_->DropUser(buffers_ > 0);
}

void Lease::Drop() {
  const Locked locked(lock_);
  if (!held_) return;
  held_ = false;
  if (buffers_ > 0 || ended_) return;
  ended_ = true;
  (void)region_->DropUser(false);  // a finalizer has nobody to tell
}

void Lease::AddBuffer() {
  const Locked locked(lock_);
  ++buffers_;
}

void Lease::Abandon() {
  region_->AddPin();
  DropBuffer();
}

void Lease::DropBuffer() {
  const Locked locked(lock_);
  if (--buffers_ > 0) return;
  if (ended_) {
    (void)region_->DropPin();
  } else if (!held_) {
    ended_ = true;
    (void)region_->DropUser(false);
  }
}

Status Lease::Resizable() {
  const Locked locked(lock_);
  if (ended_) return Failure{EINVAL, nullptr, reason::kUnmapped};
  const Locked region_locked(region_->lock_);
  return region_->Resizable();
}

Result<Region*> Lease::Resize(uint64_t length, int fd) {
  const Locked locked(lock_);
  if (ended_) return Failure{EINVAL, nullptr, reason::kUnmapped};
  const Result<Region*> next = region_->Resize(length, fd, buffers_ > 0);
  if (next.ok()) ended_ = true;
  return next;
}

}  // namespace core
