// Words whose owner's death the kernel announces: robust futexes, see get_robust_list(2).
//
// A word holds the owner's thread id, kWaiters and kOwnerDied. When a thread ends, for whatever reason, the kernel
// walks the list it has of that thread, marks every word that holds its id, and wakes one who sleeps there.
// Our owners are helper threads, one or more for each JavaScript environment, so the death of a worker counts as one.
//
// The list is not touched when a lock is taken: a word is entered once, when somebody may ever own it, and an entry
// without our id in the word means nothing. Its nodes lie in private memory, where no peer can reach them: each page
// with such words is mapped once more right behind a private page, and the list's futex_offset is one page.
#pragma once
#include <cstddef>
#include <cstdint>

#include "core/result.h"

namespace core {

inline constexpr uint32_t kWaiters = 0x80000000;
inline constexpr uint32_t kOwnerDied = 0x40000000;
inline constexpr uint32_t kOwner = 0x3fffffff;

// As the kernel has them: struct robust_list, struct robust_list_head.
struct RobustNode {
  RobustNode* next;
};
struct RobustHead {
  RobustNode list;
  int64_t futex_offset;
  RobustNode* pending;
};

struct RobustPage;

// An entry. Of one helper's list, and of one page.
struct RobustEntry {
  uint32_t* word = nullptr;  // in our own alias of its page: there for as long as this is
  uint32_t owner = 0;        // the id that is ours
  uint32_t references = 1;
  RobustNode* node = nullptr;
  RobustPage* page = nullptr;
  class RobustList* list = nullptr;
  RobustEntry* before = nullptr;  // in the list, where the kernel's node has only the way forward
  RobustEntry* after = nullptr;
  RobustEntry* next = nullptr;  // in the page
};

// The list of one thread. Whoever changes it sees to it that nobody else does; the kernel may look at any time.
class RobustList {
 public:
  static constexpr size_t kMost = 2048;  // ROBUST_LIST_LIMIT: the kernel looks no further

  void Install(uint32_t owner);  // on the thread that is to own the words
  uint32_t owner() const { return owner_; }
  bool HasRoom() const { return count_ < kMost; }
  void Add(RobustEntry* entry);
  void Remove(RobustEntry* entry);

 private:
  RobustHead head_ = {};
  RobustEntry* first_ = nullptr;
  uint32_t owner_ = 0;
  size_t count_ = 0;
};

// The pages with entries of one environment.
class RobustPages {
 public:
  // The entry of this word, with one reference more; null where there is none yet.
  RobustEntry* Find(const char* address);
  // address: a word in shared, writable memory, on a multiple of 8.
  Result<RobustEntry*> Add(char* address, RobustList* list);
  // The last reference takes the entry out; what it still held counts as its owner's death.
  void Release(RobustEntry* entry);
  void ReleaseAll();

 private:
  Result<RobustPage*> PageOf(char* address);
  void Remove(RobustEntry* entry);

  RobustPage* pages_ = nullptr;
};

bool IsHeld(const RobustEntry& entry);

}  // namespace core
