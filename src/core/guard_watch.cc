// The guard's own thread: it tells of faults, which the handler cannot, and puts the handlers back where somebody
// has taken them away.
#include <linux/futex.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <ctime>

#include "core/guard_internal.h"
#include "core/mutex.h"

namespace core::guard {
namespace {

struct Subscriber {
  void (*notify)(void* context);
  void* context;
  Subscriber* next;
};

Mutex subscribers_lock;
Subscriber* subscribers = nullptr;

std::atomic<uint32_t> bell;
std::atomic<uint32_t> sleeping;
constexpr long kWatchEvery = 500'000'000;  // nanoseconds; somebody may have taken our handlers away

// Areas that are kept to be spent in the handler, when vm.max_map_count is reached there.
std::atomic<char*> reserve;
constexpr uint64_t kReservePages = 32;

void Sleep(uint32_t heard) {
  const timespec timeout{0, kWatchEvery};
  sleeping.store(1);
  syscall(SYS_futex, &bell, FUTEX_WAIT | FUTEX_PRIVATE_FLAG, heard, &timeout, nullptr, 0);
  sleeping.store(0);
}

void* Watch(void* /*unused*/) {
  uint32_t heard = 0;
  for (;;) {
    if (bell.load() == heard) Sleep(heard);
    CheckHandlers();
    const uint32_t now = bell.load();
    if (now == heard) continue;
    heard = now;
    MakeReserve();
    const Locked locked(subscribers_lock);
    for (const Subscriber* one = subscribers; one != nullptr; one = one->next) one->notify(one->context);
  }
}

}  // namespace

void MakeReserve() {
  if (reserve.load() != nullptr) return;
  const auto page = static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  char* pages = raw::MapAnonymous(nullptr, kReservePages * page, PROT_NONE);
  if (pages == nullptr) return;
  // every other page is different, so that each is an area
  for (uint64_t i = 0; i < kReservePages; i += 2) raw::Protect(pages + i * page, page, PROT_READ);
  reserve.store(pages);
}

void StartWatch() {
  sigset_t all;
  sigset_t before;
  std::memset(&all, 0xff, sizeof all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread{};
  if (pthread_create(&thread, nullptr, Watch, nullptr) == 0) pthread_detach(thread);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void Subscribe(void (*notify)(void* context), void* context) {
  const Locked locked(subscribers_lock);
  subscribers = new Subscriber{notify, context, subscribers};
}

void Unsubscribe(void* context) {
  const Locked locked(subscribers_lock);
  for (Subscriber** at = &subscribers; *at != nullptr; at = &(*at)->next) {
    if ((*at)->context != context) continue;
    Subscriber* gone = *at;
    *at = gone->next;
    delete gone;
    return;
  }
}

void NotifySoon() {
  bell.fetch_add(1);
  if (sleeping.exchange(0) != 0) syscall(SYS_futex, &bell, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, 1, nullptr, nullptr, 0);
}

bool SpendReserve() {
  char* pages = reserve.exchange(nullptr);
  if (pages == nullptr) return false;
  raw::Unmap(pages, kReservePages * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)));
  return true;
}

}  // namespace core::guard
