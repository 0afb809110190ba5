#include "binding/holds.h"

#include <cerrno>

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/ipc.h"

namespace binding {

// Without an entry it has come to its end, and only its External is left.
struct Hold {
  Ipc* ipc = nullptr;
  Handle* handle = nullptr;
  core::RobustEntry* entry = nullptr;
  Hold* previous = nullptr;
  Hold* next = nullptr;
};

namespace {

// Guards holds, pages and lists of all environments: finalizers come from other threads on some runtimes.
core::Mutex holds_lock;

// With holds_lock held. `with_entry`: not where all entries go at once.
void End(Hold* hold, bool with_entry) {
  if (hold->entry == nullptr) return;
  if (with_entry) hold->ipc->pages.Release(hold->entry);
  hold->entry = nullptr;
  if (hold->next != nullptr) hold->next->previous = hold->previous;
  (hold->previous == nullptr ? hold->ipc->holds : hold->previous->next) = hold->next;
  Release(hold->handle);
}

void HoldGone(napi_env /*env*/, void* data, void* /*hint*/) {
  auto* hold = static_cast<Hold*>(data);
  {
    const core::Locked locked(holds_lock);
    End(hold, true);
  }
  delete hold;
}

Hold* HoldAt(const Napi::CallbackInfo& info) {
  void* data = nullptr;
  napi_get_value_external(info.Env(), info[0], &data);
  return static_cast<Hold*>(data);
}

core::Result<core::RobustEntry*> EntryFor(Ipc& ipc, char* address) {
  if (core::RobustEntry* known = ipc.pages.Find(address)) return known;
  const core::Result<core::RobustList*> list = ipc.helpers.ListWithRoom();
  if (!list.ok()) return list.failure();
  return ipc.pages.Add(address, list.value());
}

core::Result<Hold*> Begin(Ipc& ipc, Handle* handle, char* address) {
  const core::Locked locked(holds_lock);
  const core::Result<core::RobustEntry*> entry = EntryFor(ipc, address);
  if (!entry.ok()) return entry.failure();
  auto* hold = new Hold{.ipc = &ipc, .handle = handle, .entry = entry.value(), .next = ipc.holds};
  if (ipc.holds != nullptr) ipc.holds->previous = hold;
  ipc.holds = hold;
  Retain(handle);
  return hold;
}

}  // namespace

Napi::Value NewHold(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  const uint64_t offset = arguments.BytesAt(1);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr) return Throw(env, Unmapped());
  const core::Result<core::Range> range = region->Check(offset, sizeof(uint64_t));
  if (!range.ok()) return Throw(env, range.failure());
  char* address = region->data() + offset;
  if (reinterpret_cast<uintptr_t>(address) % sizeof(uint64_t) != 0) return Throw(env, {EINVAL, "set_robust_list"});
  const core::Result<Hold*> hold = Begin(Ipc::Of(env), handle, address);
  if (!hold.ok()) return Throw(env, hold.failure());
  napi_value external = nullptr;
  if (napi_create_external(env, hold.value(), HoldGone, nullptr, &external) != napi_ok)
    HoldGone(env, hold.value(), nullptr);
  return {env, external};
}

Napi::Value OwnerOf(const Napi::CallbackInfo& info) {
  const Hold* hold = HoldAt(info);
  if (hold == nullptr || hold->entry == nullptr) return Throw(info.Env(), Unmapped());
  return Napi::Number::New(info.Env(), hold->entry->owner);
}

Napi::Value EndHold(const Napi::CallbackInfo& info) {
  if (Hold* hold = HoldAt(info)) {
    const core::Locked locked(holds_lock);
    End(hold, true);
  }
  return info.Env().Undefined();
}

bool IsLocked(const Handle* handle) {
  const Ipc* ipc = handle->environment->ipc;
  if (ipc == nullptr) return false;
  const core::Locked locked(holds_lock);
  for (const Hold* hold = ipc->holds; hold != nullptr; hold = hold->next)
    if (hold->handle == handle && core::IsHeld(*hold->entry)) return true;
  return false;
}

void EndHolds(const Handle* handle) {
  const Ipc* ipc = handle->environment->ipc;
  if (ipc == nullptr) return;
  const core::Locked locked(holds_lock);
  for (Hold* hold = ipc->holds; hold != nullptr;) {
    Hold* next = hold->next;
    if (hold->handle == handle) End(hold, true);
    hold = next;
  }
}

void EndAllHolds(Ipc& ipc) {
  const core::Locked locked(holds_lock);
  ipc.pages.ReleaseAll();
  while (ipc.holds != nullptr) End(ipc.holds, false);
}

}  // namespace binding
