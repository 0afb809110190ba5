// The part of a Region that deals with faults in its pages.
#include <sys/mman.h>

#include <cerrno>

#include "core/limits.h"
#include "core/region.h"
#include "core/syscalls.h"

namespace core {
bool Region::HasFile() const {
  return request_.inode != 0 && !request_.keep_fd;
}

// Ordinary anonymous memory that may be written to cannot fault, nor can a memfd that is sealed.
bool Region::Faultable() const {
  const bool read_only = (request_.prot & PROT_WRITE) == 0;
  return request_.guarded && span_ > 0 && (HasFile() || read_only || page_size() > PageSize());
}

void Region::Guard(File* file) {
  file_ = file;
  const int own_fd = request_.keep_fd ? request_.fd : -1;
  slot_ = guard::Register({.base = base_,
                           .span = span_,
                           .page_size = page_size(),
                           .lead = lead_,
                           .length = request_.length,
                           .offset = request_.offset - lead_,
                           .prot = request_.prot,
                           .flags = request_.flags,
                           .fd = file == nullptr ? own_fd : file->fd()});
}

void Region::Unguard() {
  if (slot_ != nullptr) guard::Unregister(slot_);
  slot_ = nullptr;
  ForgetFile();
}

void Region::ForgetFile() {
  if (file_ != nullptr) file_->Release();
  file_ = nullptr;
}

guard::Slot* Region::slot() {
  const Locked locked(lock_);
  return slot_;
}

Status Region::Protect(uint64_t offset, uint64_t length, int prot) {
  const Result<Range> range = Check(offset, length);
  if (!range.ok()) return range.failure();
  size_t bytes = 0;
  char* address = PagesOf(range.value(), false, &bytes);
  const Locked locked(lock_);
  if (state_ != State::kMapped || users_ == 0) return Failure{EINVAL, nullptr, reason::kUnmapped};
  if (bytes == 0) return Unit{};
  if (slot_ == nullptr && request_.guarded) Guard(nullptr);
  if (bytes < span_) {
    if (const Status admitted = AdmitArea(); !admitted.ok())
      return Failure{ENOMEM, "mprotect", reason::kMapLimit, admitted.failure().value};
  }
  const Status done =
      slot_ != nullptr ? guard::Protect(slot_, address, bytes, prot) : sys::Mprotect(address, bytes, prot);
  if (done.ok()) mixed_ = bytes < span_ && (mixed_ || prot != request_.prot);
  if (done.ok() && bytes == span_) request_.prot = prot;
  return done;
}

// With the guard, PROT_NONE whose every late access finds zeros and is counted; without, plain zeros.
Status Region::Decommit() {
  if (slot_ == nullptr && request_.guarded) Guard(nullptr);
  Status done = Unit{};
  if (slot_ != nullptr) {
    done = guard::Entomb(slot_);
  } else {
    const Result<char*> zeros =
        sys::Mmap(base_, span_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    if (!zeros.ok()) done = zeros.failure();
  }
  if (done.ok()) ForgetFile();
  return done;
}

Result<Verdict> Region::Verify() {
  const Locked locked(lock_);
  const int own_fd = request_.keep_fd ? request_.fd : -1;
  const int fd = file_ == nullptr ? own_fd : file_->fd();
  if (fd < 0) return Failure{EBADF, "fstat", reason::kNoFile};
  const Result<struct stat> stat = sys::Fstat(fd);
  if (!stat.ok()) return stat.failure();
  const guard::Lost lost = slot_ == nullptr ? guard::Lost{} : guard::LostWrites(slot_, base_, span_);
  const bool block = S_ISBLK(stat.value().st_mode);
  const Result<uint64_t> size =
      block ? sys::BlockDeviceSize(fd) : Result<uint64_t>(static_cast<uint64_t>(stat.value().st_size));
  if (!size.ok()) return size.failure();
  return Verdict{size.value(), lost.pages, lost.first};
}

Status Region::CheckWritten(char* address, uint64_t length) {
  const Locked locked(lock_);
  if (slot_ == nullptr) return Unit{};
  const guard::Lost lost = guard::LostWrites(slot_, address, length);
  if (lost.pages == 0) return Unit{};
  return Failure{EIO, "msync", reason::kLostWrites, lost.first};
}

Result<uint64_t> Region::Refresh(guard::RefreshRequest request) {
  const Result<Verdict> verdict = Verify();
  if (!verdict.ok()) return verdict.failure();
  const Locked locked(lock_);
  if (slot_ == nullptr || state_ != State::kMapped) return uint64_t{0};
  request.file_size = verdict.value().file_size;
  return guard::Refresh(slot_, request);
}

}  // namespace core
