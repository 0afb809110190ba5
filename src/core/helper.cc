#include "core/helper.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <utility>

namespace core {
namespace {

constexpr size_t kStackSize = size_t{128} * 1024;
constexpr size_t kNoPlace = SIZE_MAX;
constexpr uint64_t kMillisecond = 1000000;
// The kernel wakes one sleeper of a dead owner's word. Where that one dies too before it looks, this is how the others
// hear of it.
constexpr uint64_t kLookAgain = 1000 * kMillisecond;
// Where a thread cannot sleep on many words, it looks at the control word this often.
constexpr uint64_t kLookSoon = 20 * kMillisecond;

}  // namespace

Result<Helper*> Helper::Start(Notify notify, void* context) {
  auto* helper = new Helper(notify, context);
  pthread_attr_t attributes;
  sigset_t all;
  sigset_t before;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, kStackSize);
  // signals are for the threads of the program
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int error = pthread_create(&helper->thread_, &attributes, Main, helper);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (error != 0) {
    delete helper;
    return Failure{error, "pthread_create"};
  }
  const Word started{&helper->started_, 0, true};
  while (__atomic_load_n(&helper->started_, __ATOMIC_ACQUIRE) == 0) SleepOn(&started, 1, kForever);
  return helper;
}

void Helper::Stop(Helper* helper) {
  helper->lock_.Lock();
  helper->stopping_ = true;
  helper->Interrupt();
  helper->lock_.Unlock();
  pthread_join(helper->thread_, nullptr);
  for (Watched& watched : helper->watched_) Free(watched);
  delete helper;
}

void* Helper::Main(void* helper) {
  static_cast<Helper*>(helper)->Run();
  return nullptr;
}

void Helper::Run() {
  list_.Install(static_cast<uint32_t>(syscall(SYS_gettid)));
  __atomic_store_n(&started_, 1, __ATOMIC_RELEASE);
  Wake(&started_, 1, true);
  Word words[kMostWords];
  size_t places[kMostWords];
  while (const size_t count = Gather(words, places)) {
    const uint64_t pause = CanSleepOnMany() ? kLookAgain : kLookSoon;
    Settle(SleepOn(words, count, count == 1 ? kForever : Now() + pause), words, places, count);
  }
}

size_t Helper::Gather(Word* words, size_t* places) {
  const Locked locked(lock_);
  if (stopping_) return 0;
  words[0] = {&control_, __atomic_load_n(&control_, __ATOMIC_RELAXED), true};
  places[0] = kNoPlace;
  size_t count = 1;
  for (size_t place = 0; place < kPlaces; ++place) {
    Watched& watched = watched_[place];
    if (watched.state == State::kRemoved) Free(watched);
    if (watched.state != State::kWatching) continue;
    words[count] = {watched.word, watched.expected};
    places[count++] = place;
  }
  // the first one is what a thread sleeps on that cannot sleep on many
  if (!CanSleepOnMany() && count > 1) {
    std::swap(words[0], words[1]);
    std::swap(places[0], places[1]);
  }
  return count;
}

void Helper::Settle(const SleepResult& result, const Word* words, const size_t* places, size_t count) {
  const Locked locked(lock_);
  const size_t before = fired_;
  for (size_t i = 0; i < count; ++i) {
    if (places[i] == kNoPlace) continue;
    Watched& watched = watched_[places[i]];
    const bool woken = result.sleep == Sleep::kWoken && result.index == i;
    if (watched.state == State::kRemoved) {
      if (woken) Wake(words[i].address, 1);  // it was meant for somebody who still waits
      continue;
    }
    // one bad word spoils the call for all: it is found by asking for each
    watched.error = result.error == 0 ? 0 : SleepOn(&words[i], 1, 0).error;
    const bool changed = watched.error == 0 && __atomic_load_n(watched.word, __ATOMIC_SEQ_CST) != watched.expected;
    if (!woken && !changed && watched.error == 0) continue;
    if (result.sleep == Sleep::kTimedOut && CanSleepOnMany()) ++found_late_;
    (void)watched.region->EndOperation();
    watched.region = nullptr;
    watched.state = State::kFired;
    ++fired_;
  }
  if (fired_ > before) notify_(context_);
}

void Helper::Free(Watched& watched) {
  if (watched.region != nullptr) (void)watched.region->EndOperation();
  watched = {};
}

void Helper::Interrupt() {
  __atomic_fetch_add(&control_, 1, __ATOMIC_RELAXED);
  Wake(&control_, 1, true);
}

int Helper::Watch(uint32_t* word, uint32_t expected, Region* region) {
  const Locked locked(lock_);
  const size_t places = CanSleepOnMany() ? kPlaces : 1;
  for (size_t place = 0; place < places; ++place) {
    if (watched_[place].state != State::kFree) continue;
    watched_[place] = {word, expected, 0, region, State::kWatching};
    Interrupt();
    return static_cast<int>(place);
  }
  return -1;
}

bool Helper::Unwatch(size_t place) {
  const Locked locked(lock_);
  if (watched_[place].state != State::kWatching) return false;
  watched_[place].state = State::kRemoved;
  Interrupt();
  return true;
}

int Helper::Take(int* error) {
  const Locked locked(lock_);
  for (size_t place = 0; fired_ > 0 && place < kPlaces; ++place) {
    if (watched_[place].state != State::kFired) continue;
    *error = watched_[place].error;
    watched_[place] = {};
    --fired_;
    return static_cast<int>(place);
  }
  return -1;
}

}  // namespace core
