#include "core/file.h"

#include "core/mutex.h"
#include "core/syscalls.h"

namespace core {
namespace {

constexpr uint64_t kBuckets = 1024;

Mutex lock;
File* buckets[kBuckets];

File** BucketOf(uint64_t inode) {
  return &buckets[inode % kBuckets];
}

}  // namespace

File* File::Of(int fd, uint64_t device, uint64_t inode, bool writable) {
  const Locked locked(lock);
  for (File* file = *BucketOf(inode); file != nullptr; file = file->next_) {
    if (file->inode_ != inode || file->device_ != device || file->writable_ != writable) continue;
    ++file->users_;
    return file;
  }
  const Result<int> duplicate = sys::Duplicate(fd);
  if (!duplicate.ok()) return nullptr;
  auto* file = new File(duplicate.value(), device, inode, writable);
  file->next_ = *BucketOf(inode);
  *BucketOf(inode) = file;
  return file;
}

void File::Release() {
  const Locked locked(lock);
  if (--users_ > 0) return;
  for (File** at = BucketOf(inode_);; at = &(*at)->next_) {
    if (*at != this) continue;
    *at = next_;
    break;
  }
  sys::Close(fd_);
  delete this;
}

}  // namespace core
