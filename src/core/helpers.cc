#include "core/helpers.h"

#include <cerrno>

namespace core {

Result<Helper*> Helpers::Another() {
  if (count_ == kMost) return Failure{EAGAIN, "pthread_create"};
  const Result<Helper*> started = Helper::Start(notify_, context_);
  if (started.ok()) all_[count_++] = started.value();
  return started;
}

Result<uint32_t> Helpers::Watch(uint32_t* word, uint32_t expected, Region* region) {
  for (size_t i = count_; i-- > 0;) {
    const int place = all_[i]->Watch(word, expected, region);
    if (place >= 0) return static_cast<uint32_t>(i * Helper::kPlaces) + static_cast<uint32_t>(place);
  }
  const size_t i = count_;
  const Result<Helper*> another = Another();
  if (another.ok()) {
    const int place = another.value()->Watch(word, expected, region);  // it is empty, and has room
    return static_cast<uint32_t>(i * Helper::kPlaces) + static_cast<uint32_t>(place);
  }
  (void)region->EndOperation();
  return another.failure();
}

bool Helpers::Unwatch(uint32_t id) {
  const size_t helper = id / Helper::kPlaces;
  return helper < count_ && all_[helper]->Unwatch(id % Helper::kPlaces);
}

bool Helpers::Take(Fired* fired) {
  for (size_t i = 0; i < count_; ++i) {
    const int place = all_[i]->Take(&fired->error);
    if (place < 0) continue;
    fired->id = static_cast<uint32_t>(i * Helper::kPlaces) + static_cast<uint32_t>(place);
    return true;
  }
  return false;
}

Result<RobustList*> Helpers::ListWithRoom() {
  for (size_t i = 0; i < count_; ++i)
    if (all_[i]->list().HasRoom()) return &all_[i]->list();
  const Result<Helper*> another = Another();
  return another.ok() ? Result<RobustList*>(&another.value()->list()) : Result<RobustList*>(another.failure());
}

uint64_t Helpers::FoundLate() const {
  uint64_t count = 0;
  for (size_t i = 0; i < count_; ++i) count += all_[i]->found_late();
  return count;
}

void Helpers::Stop() {
  while (count_ > 0) Helper::Stop(all_[--count_]);
}

}  // namespace core
