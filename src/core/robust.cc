#include "core/robust.h"

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>

#include "core/futex.h"
#include "core/limits.h"
#include "core/region.h"
#include "core/syscalls.h"

// The analyzer does not follow a list through its links.
// NOLINTBEGIN(clang-analyzer-core.*,clang-analyzer-cplusplus.NewDelete)
namespace core {

struct RobustPage {
  char* address = nullptr;  // of the shared page
  char* nodes = nullptr;    // the private page; the alias is right behind it
  RobustEntry* entries = nullptr;
  RobustPage* next = nullptr;
};

namespace {

char* PageAddress(const char* address) {
  return reinterpret_cast<char*>(AlignDown(reinterpret_cast<uintptr_t>(address), PageSize()));
}

// What the kernel does for a thread that ended, for a word whose owner gives it up.
void MarkOwnerDied(const RobustEntry& entry) {
  uint32_t value = __atomic_load_n(entry.word, __ATOMIC_SEQ_CST);
  while ((value & kOwner) == entry.owner) {
    const uint32_t died = (value & kWaiters) | kOwnerDied;
    if (!__atomic_compare_exchange_n(entry.word, &value, died, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    Wake(entry.word, INT_MAX);
    return;
  }
}

}  // namespace

bool IsHeld(const RobustEntry& entry) {
  return (__atomic_load_n(entry.word, __ATOMIC_SEQ_CST) & kOwner) == entry.owner;
}

void RobustList::Install(uint32_t owner) {
  owner_ = owner;
  head_.list.next = &head_.list;
  head_.futex_offset = static_cast<int64_t>(PageSize());
  syscall(SYS_set_robust_list, &head_, sizeof head_);
}

// One store makes each change, so that the kernel finds a whole list whenever the process is killed.
void RobustList::Add(RobustEntry* entry) {
  entry->list = this;
  entry->owner = owner_;
  entry->after = first_;
  entry->node->next = head_.list.next;
  __atomic_store_n(&head_.list.next, entry->node, __ATOMIC_RELEASE);
  if (first_ != nullptr) first_->before = entry;
  first_ = entry;
  ++count_;
}

void RobustList::Remove(RobustEntry* entry) {
  RobustNode* previous = entry->before == nullptr ? &head_.list : entry->before->node;
  __atomic_store_n(&previous->next, entry->node->next, __ATOMIC_RELEASE);
  if (entry->after != nullptr) entry->after->before = entry->before;
  (entry->before == nullptr ? first_ : entry->before->after) = entry->after;
  --count_;
}

RobustEntry* RobustPages::Find(const char* address) {
  const char* wanted = PageAddress(address);
  for (RobustPage* page = pages_; page != nullptr; page = page->next) {
    if (page->address != wanted) continue;
    for (RobustEntry* entry = page->entries; entry != nullptr; entry = entry->next) {
      if (reinterpret_cast<char*>(entry->node) - page->nodes != address - wanted) continue;
      ++entry->references;
      return entry;
    }
  }
  return nullptr;
}

Result<RobustPage*> RobustPages::PageOf(char* address) {
  char* wanted = PageAddress(address);
  for (RobustPage* page = pages_; page != nullptr; page = page->next)
    if (page->address == wanted) return page;
  if (const Status admitted = AdmitArea(); !admitted.ok()) return admitted.failure();
  const uint64_t size = PageSize();
  const Result<char*> pair = sys::Mmap(nullptr, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (!pair.ok()) return pair.failure();
  // an old length of 0 leaves the shared page where it is and maps it a second time
  const Result<char*> alias = sys::Mremap(wanted, 0, size, MREMAP_MAYMOVE | MREMAP_FIXED, pair.value() + size);
  if (!alias.ok()) {
    (void)sys::Munmap(pair.value(), 2 * size);
    return alias.failure();
  }
  pages_ = new RobustPage{.address = wanted, .nodes = pair.value(), .next = pages_};
  return pages_;
}

Result<RobustEntry*> RobustPages::Add(char* address, RobustList* list) {
  const Result<RobustPage*> found = PageOf(address);
  if (!found.ok()) return found.failure();
  RobustPage* page = found.value();
  char* node = page->nodes + (address - page->address);
  auto* entry = new RobustEntry{.word = reinterpret_cast<uint32_t*>(node + PageSize()),
                                .node = reinterpret_cast<RobustNode*>(node),
                                .page = page,
                                .next = page->entries};
  page->entries = entry;
  list->Add(entry);
  return entry;
}

void RobustPages::Release(RobustEntry* entry) {
  if (--entry->references == 0) Remove(entry);
}

void RobustPages::Remove(RobustEntry* entry) {
  MarkOwnerDied(*entry);
  entry->list->Remove(entry);
  RobustPage* page = entry->page;
  RobustEntry** link = &page->entries;
  while (*link != entry) link = &(*link)->next;
  *link = entry->next;
  delete entry;
  if (page->entries != nullptr) return;
  RobustPage** place = &pages_;
  while (*place != page) place = &(*place)->next;
  *place = page->next;
  (void)sys::Munmap(page->nodes, 2 * PageSize());  // nothing is left to do where it fails
  delete page;
}

void RobustPages::ReleaseAll() {
  while (pages_ != nullptr) Remove(pages_->entries);  // a page goes with its last entry
}

}  // namespace core
// NOLINTEND(clang-analyzer-core.*,clang-analyzer-cplusplus.NewDelete)
