#include "core/guard.h"

#include <sys/mman.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/guard_internal.h"
#include "core/mutex.h"

namespace core::guard {
namespace {

// Never given back: a handler may look at any slot at any time.
constexpr uint64_t kSlots = 1 << 17;

struct Key {
  std::atomic<uintptr_t> base;
  std::atomic<uint64_t> span;
};

struct Registry {
  Slot* slots = nullptr;
  Key* keys = nullptr;
  uint32_t* words = nullptr;
  Slot* free = nullptr;
  std::atomic<uint64_t> used = 0;  // slots that were ever taken
};

Mutex lock;  // of the registry's list of free slots, and of starting
Registry registry;
bool started = false;

uint64_t SlotIndex(const Slot* slot) {
  return static_cast<uint64_t>(slot - registry.slots);
}

template <class T>
T* Reserve(uint64_t count) {
  const uint64_t bytes = (count * sizeof(T) + 4095) & ~uint64_t{4095};
  return reinterpret_cast<T*>(raw::MapAnonymous(nullptr, bytes, PROT_READ | PROT_WRITE));
}

// With `lock` held.
bool Start() {
  if (started) return true;
  registry.slots = Reserve<Slot>(kSlots);
  registry.keys = Reserve<Key>(kSlots);
  registry.words = Reserve<uint32_t>(kSlots);
  if (registry.slots == nullptr || registry.keys == nullptr || registry.words == nullptr) return false;
  MakeReserve();
  InstallHandlers();
  StartWatch();
  started = true;
  return true;
}

void WaitForHandlers(Slot* slot, State to) {
  slot->state.store(to);
  while (slot->handlers.load() != 0) raw::Yield();
}

void ForgetPages(Slot* slot) {
  uint64_t* pages = slot->pages.exchange(nullptr);
  if (pages != nullptr) raw::Unmap(reinterpret_cast<char*>(pages), PagesBytes(slot));
  ForgetIslands(slot);
  slot->next.store(kNowhere);
  slot->window.store(0);
}

}  // namespace

bool Enabled() {
  static const bool enabled = [] {
    const char* value = std::getenv("MMAP_NATIVE_GUARD");
    return value == nullptr || std::strcmp(value, "off") != 0;
  }();
  return enabled;
}

Slot* Register(const Mapping& mapping) {
  if (!Enabled() || mapping.span == 0) return nullptr;
  Slot* slot = nullptr;
  {
    const Locked locked(lock);
    if (!Start()) return nullptr;
    slot = registry.free;
    const uint64_t used = registry.used.load();
    if (slot != nullptr) {
      registry.free = slot->next_free;
    } else if (used < kSlots) {
      slot = &registry.slots[used];
      registry.used.store(used + 1);
    } else {
      return nullptr;
    }
  }
  slot->mapping = mapping;
  slot->tomb = false;
  slot->next.store(kNowhere);
  slot->repeats.store(0);
  for (Counter& counter : slot->counters) {
    counter.pages.store(0);
    counter.writes.store(0);
    counter.first.store(0);
    counter.latest.store(0);
  }
  std::atomic_ref<uint32_t>(*Word(slot)).store(0);
  Key& key = registry.keys[SlotIndex(slot)];
  key.base.store(reinterpret_cast<uintptr_t>(mapping.base), std::memory_order_relaxed);
  key.span.store(mapping.span, std::memory_order_relaxed);
  slot->state.store(State::kLive);
  return slot;
}

void Unregister(Slot* slot) {
  WaitForHandlers(slot, State::kFree);
  registry.keys[SlotIndex(slot)].span.store(0, std::memory_order_relaxed);
  ForgetPages(slot);
  const Locked locked(lock);
  slot->next_free = registry.free;
  registry.free = slot;
}

void Suspend(Slot* slot) {
  WaitForHandlers(slot, State::kChanging);
}

void Resume(Slot* slot, bool in_place) {
  slot->state.store(in_place ? State::kLive : State::kFree);
}

Status Entomb(Slot* slot) {
  WaitForHandlers(slot, State::kChanging);
  const bool done = raw::MapAnonymous(slot->mapping.base, slot->mapping.span, PROT_NONE) != nullptr;
  const int error = errno;
  if (done) {
    ForgetPages(slot);
    slot->tomb = true;
    slot->mapping.fd = -1;
  }
  slot->state.store(State::kLive);
  return done ? Status(Unit{}) : Status(Failure{error, "mmap"});
}

Count CountOf(const Slot* slot, Kind kind) {
  const Counter& counter = slot->counters[static_cast<int>(kind)];
  const uint64_t first = counter.first.load();
  return {counter.pages.load(), counter.writes.load(), first == 0 ? 0 : first - 1, counter.latest.load()};
}

uint32_t* Words(uint64_t* length) {
  const Locked locked(lock);
  *length = Start() ? kSlots : 0;
  return registry.words;
}

uint32_t FaultCount(const Slot* slot) {
  return std::atomic_ref<uint32_t>(*Word(slot)).load();
}

uint64_t WordIndex(const Slot* slot) {
  return SlotIndex(slot);
}

Slot* Find(uintptr_t address, const Slot* previous) {
  const uint64_t used = registry.used.load();
  for (uint64_t i = previous == nullptr ? 0 : SlotIndex(previous) + 1; i < used; ++i) {
    const Key& key = registry.keys[i];
    if (address - key.base.load(std::memory_order_relaxed) < key.span.load(std::memory_order_relaxed))
      return &registry.slots[i];
  }
  return nullptr;
}

uint32_t* Word(const Slot* slot) {
  return &registry.words[SlotIndex(slot)];
}

}  // namespace core::guard
