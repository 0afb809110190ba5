// A thread that sleeps for others: it watches words of shared memory, and it is the owner of robust words. It runs
// no JavaScript and allocates nothing.
#pragma once
#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "core/futex.h"
#include "core/mutex.h"
#include "core/region.h"
#include "core/result.h"
#include "core/robust.h"

namespace core {

class Helper {
 public:
  static constexpr size_t kPlaces = kMostWords - 1;  // one word is the control word

  // On the helper's own thread, when Take() has something new.
  using Notify = void (*)(void* context);

  static Result<Helper*> Start(Notify notify, void* context);
  // Waits for the thread to end, and frees it.
  static void Stop(Helper* helper);

  Helper(const Helper&) = delete;
  Helper& operator=(const Helper&) = delete;

  RobustList& list() { return list_; }

  // The place of the watch, or -1 where there is none left. The region is in an operation, which ends with the watch.
  int Watch(uint32_t* word, uint32_t expected, Region* region);
  // False when it has fired already: Take() will tell, or has told.
  bool Unwatch(size_t place);
  // The next watch that fired, and its errno: its place is free again. -1 when there is none.
  int Take(int* error);

  // How often a second look found what no wake-up had told of.
  uint64_t found_late() const { return found_late_; }

 private:
  enum class State : uint8_t { kFree, kWatching, kRemoved, kFired };
  struct Watched {
    uint32_t* word;
    uint32_t expected;
    int error;
    Region* region;
    State state;
  };

  Helper(Notify notify, void* context) : notify_(notify), context_(context) {}
  ~Helper() = default;
  static void* Main(void* helper);
  void Run();
  // The words to sleep on and their places; the control word has none. 0: it is time to end.
  size_t Gather(Word* words, size_t* places);
  void Settle(const SleepResult& result, const Word* words, const size_t* places, size_t count);
  static void Free(Watched& watched);
  void Interrupt();

  Mutex lock_;
  Watched watched_[kPlaces] = {};
  size_t fired_ = 0;
  bool stopping_ = false;
  uint32_t control_ = 0;
  uint32_t started_ = 0;
  uint64_t found_late_ = 0;
  RobustList list_;
  pthread_t thread_{};
  const Notify notify_;
  void* const context_;
};

}  // namespace core
