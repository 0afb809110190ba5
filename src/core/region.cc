#include "core/region.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <new>

#include "core/limits.h"
#include "core/mirror.h"
#include "core/syscalls.h"

namespace core {
namespace {

Region* list_head = nullptr;

constexpr uint64_t kWordSize = 8;

// A mapping of nothing needs an address that is no address.
char empty_mapping[1];

}  // namespace

Mutex Region::list_lock_;

uint64_t PageSize() {
  static const auto size = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  return size;
}

Region::Region(const MapRequest& request) : request_(request), base_(empty_mapping) {
  if (request_.page_size == 0) request_.page_size = PageSize();
  const Range pages = PagesTouched({request_.offset, request_.length}, request_.page_size);
  // nothing has no first page either
  lead_ = request_.length == 0 ? 0 : request_.offset - pages.offset;
  span_ = pages.length + request_.mirrored;
  request_.length += request_.mirrored;
}

Result<Region*> Region::Map(const MapRequest& request) {
  auto fail = [&request](Failure failure) {
    if (request.keep_fd) sys::Close(request.fd);
    return failure;
  };
  if (!Within(kLargest, request.offset, request.length)) return fail({EOVERFLOW, "mmap"});
  if (const Status admitted = AdmitArea(); !admitted.ok()) return fail(admitted.failure());
  auto* region = new Region(request);
  if (region->span_ > 0) {
    const uint64_t first = request.offset - region->lead_;
    const Result<char*> base = request.mirrored > 0
                                   ? MapMirrored(request, {first, region->span_ - request.mirrored})
                                   : sys::Mmap(nullptr, region->span_, request.prot, request.flags, request.fd, first);
    if (!base.ok()) {
      delete region;
      return fail(base.failure());
    }
    region->base_ = base.value();
  }
  if (region->Faultable()) {
    const bool writable = (request.prot & PROT_WRITE) != 0 && (request.flags & MAP_SHARED) != 0;
    const bool wants_file = region->HasFile() && guard::Enabled();
    region->Guard(wants_file ? File::Of(request.fd, request.device, request.inode, writable) : nullptr);
  }
  region->List();
  return region;
}

void Region::List() {
  const Locked locked(list_lock_);
  ListLocked();
}

void Region::ListLocked() {
  next_ = list_head;
  if (next_ != nullptr) next_->previous_ = this;
  list_head = this;
}

void Region::Unlist() {
  const Locked locked(list_lock_);
  if (next_ != nullptr) next_->previous_ = previous_;
  (previous_ == nullptr ? list_head : previous_->next_) = next_;
}

Region* Region::Join(const char* id) {
  const Locked listed(list_lock_);
  for (Region* region = list_head; region != nullptr; region = region->next_) {
    // the order of locks is list, then Region: SettleAndUnlock lets go of its own before Unlist
    const Locked locked(region->lock_);
    if (region->users_ == 0 || std::strcmp(region->id_, id) != 0) continue;
    ++region->users_;
    return region;
  }
  return nullptr;
}

void Region::ForEach(void (*visit)(const RegionFacts& facts, void* context), void* context) {
  const Locked listed(list_lock_);
  for (Region* region = list_head; region != nullptr; region = region->next_) {
    const Locked locked(region->lock_);
    if (region->state_ != State::kUnmapped) visit(region->FactsLocked(), context);
  }
}

RegionFacts Region::Facts() {
  const Locked locked(lock_);
  return FactsLocked();
}

RegionFacts Region::FactsLocked() const {
  RegionFacts facts{base_,
                    span_,
                    request_.page_size,
                    request_.offset,
                    request_.length,
                    request_.device,
                    request_.inode,
                    request_.prot,
                    request_.flags,
                    request_.keep_fd ? request_.fd : -1,
                    state_ == State::kDecommitted,
                    request_.preallocated,
                    request_.peers_readonly,
                    {}};
  std::memcpy(facts.label, label_, sizeof label_);
  return facts;
}

const char* Region::Identify(const char* id) {
  const Locked locked(lock_);
  if (id_[0] == '\0') std::strncpy(id_, id, kIdLength);
  return id_;
}

void Region::Label(const char* label) {
  const Locked locked(lock_);
  std::strncpy(label_, label, kLabelLength);
}

Result<Range> Region::Check(uint64_t offset, uint64_t length) const {
  if (const auto range = Within(request_.length, offset, length)) return *range;
  return Failure{EINVAL, nullptr, reason::kRange, request_.length};
}

Result<Range> Region::CheckFromLead(uint64_t offset, uint64_t length) const {
  // a view may begin up to 7 bytes before the first byte, to lie on a multiple of 8: never before the page
  const auto range = Within(lead_ + request_.length, offset, length);
  if (range && offset >= AlignDown(lead_, kWordSize)) return *range;
  return Failure{EINVAL, nullptr, reason::kRange, request_.length};
}

char* Region::PagesOf(Range range, bool inside_only, size_t* length) const {
  Range bytes{range.offset + lead_, range.length};
  // what is outside the mapping in its own first and last page is nobody else's
  if (inside_only && range.offset == 0) bytes = {0, bytes.end()};
  if (inside_only && range.end() == request_.length) bytes.length = span_ - bytes.offset;
  const Range pages = inside_only ? PagesInside(bytes, page_size()) : PagesTouched(bytes, page_size());
  *length = pages.length;
  return base_ + pages.offset;
}

bool Region::BeginOperation() {
  const Locked locked(lock_);
  if (state_ != State::kMapped || users_ == 0) return false;
  ++ops_;
  return true;
}

Region* Region::BeginOperationAt(const char* address, uint64_t length) {
  const Locked listed(list_lock_);
  for (Region* region = list_head; region != nullptr; region = region->next_) {
    const auto offset = static_cast<uint64_t>(address - region->base_);  // huge, where the address is before
    const bool shared = (region->request_.flags & MAP_SHARED) != 0;
    if (shared && Within(region->span_, offset, length) && region->BeginOperation()) return region;
  }
  return nullptr;
}

Status Region::EndOperation() {
  lock_.Lock();
  --ops_;
  return SettleAndUnlock();
}

Status Region::SettleAndUnlock() {
  if (users_ > 0 || ops_ > 0) {
    lock_.Unlock();
    return Unit{};
  }
  Status status = Unit{};
  if (pins_ > 0 && state_ == State::kMapped && span_ > 0) {
    status = Decommit();
    // refused, the mapping stays as it was, which is safe too: the next change tries again
    if (status.ok()) state_ = State::kDecommitted;
  }
  if (request_.keep_fd && status.ok()) {
    sys::Close(request_.fd);
    request_.keep_fd = false;
  }
  const bool gone = pins_ == 0;
  lock_.Unlock();
  // nobody but the list knows it any more, and unmapping much memory takes long: not under a lock
  return gone ? Unmap() : status;
}

Status Region::Unmap() {
  Unlist();
  Unguard();
  if (state_ != State::kUnmapped && span_ > 0) {
    // only anonymous memory has neighbours that the kernel takes for one with it
    const bool may_be_merged = state_ == State::kDecommitted || (request_.flags & MAP_ANONYMOUS) != 0;
    const Status unmapped = GiveBack(base_, span_, may_be_merged);
    if (!unmapped.ok()) {
      List();  // what the kernel would not take back stays in sight
      return unmapped;
    }
  }
  delete this;
  return Unit{};
}

Status Region::DropUser(bool leaves_pin) {
  lock_.Lock();
  --users_;
  if (leaves_pin) ++pins_;
  return SettleAndUnlock();
}

void Region::AddPin() {
  const Locked locked(lock_);
  ++pins_;
}

Status Region::DropPin() {
  lock_.Lock();
  --pins_;
  return SettleAndUnlock();
}

}  // namespace core
