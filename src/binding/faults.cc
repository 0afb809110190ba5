#include "binding/faults.h"

#include <atomic>

#include "binding/arguments.h"
#include "binding/buffers.h"
#include "binding/errors.h"
#include "core/guard.h"

namespace binding {
namespace {

// In the order of core::guard::Kind.
constexpr const char* kKindNames[] = {"truncated", "no-space", "io", "read-only", "lost-write", "unmapped"};

struct Listener {
  napi_threadsafe_function function = nullptr;
  std::atomic<bool> pending = false;
};

// On the guard's thread.
void Notify(void* context) {
  auto* listener = static_cast<Listener*>(context);
  if (listener->pending.exchange(true)) return;
  napi_call_threadsafe_function(listener->function, nullptr, napi_tsfn_nonblocking);
}

void ReadCounts(const core::guard::Slot* slot, core::guard::Count* counts) {
  for (int kind = 0; kind < core::guard::kKinds; ++kind)
    counts[kind] = core::guard::CountOf(slot, static_cast<core::guard::Kind>(kind));
}

Napi::Value AsRecords(Napi::Env env, const core::guard::Count* counts) {
  Napi::Array list = Napi::Array::New(env);
  uint32_t next = 0;
  for (int kind = 0; kind < core::guard::kKinds; ++kind) {
    const core::guard::Count& count = counts[kind];
    if (count.pages == 0) continue;
    Napi::Object entry = Napi::Object::New(env);
    entry.Set("kind", Napi::String::New(env, kKindNames[kind]));
    entry.Set("pages", Napi::Number::New(env, static_cast<double>(count.pages)));
    entry.Set("writes", Napi::Number::New(env, static_cast<double>(count.writes)));
    entry.Set("first", Napi::Number::New(env, static_cast<double>(count.first)));
    entry.Set("latest", Napi::Number::New(env, static_cast<double>(count.latest)));
    list.Set(next++, entry);
  }
  return list;
}

void AddNews(Napi::Array* news, const Handle* handle, const core::guard::Count* counts) {
  Napi::Object entry = Napi::Object::New(news->Env());
  entry.Set("watch", Napi::Number::New(news->Env(), handle->watch));
  entry.Set("faults", AsRecords(news->Env(), counts));
  news->Set(news->Length(), entry);
}

// Has it faults that were not told of? They count as told from now on.
bool TakeNews(Handle* handle, core::guard::Count* counts) {
  const core::guard::Slot* slot = handle->lease.slot();
  if (slot == nullptr) return false;
  const uint32_t count = core::guard::FaultCount(slot);
  if (count == handle->reported_faults) return false;
  handle->reported_faults = count;
  ReadCounts(slot, counts);
  return true;
}

void NoteNews(Handle* handle, void* context) {
  auto* news = static_cast<Napi::Array*>(context);
  if (handle->last_faults != nullptr) {
    AddNews(news, handle, handle->last_faults);
    ForgetFaults(handle);
  }
  core::guard::Count counts[core::guard::kKinds];
  if (TakeNews(handle, counts)) AddNews(news, handle, counts);
}

// In the environment again. env is null when it is ending, and the listener is gone by then.
void Deliver(napi_env env, napi_value on_faults, void* context, void* /*data*/) {
  if (env == nullptr) return;
  static_cast<Listener*>(context)->pending.store(false);
  Napi::Array news = Napi::Array::New(env);
  ForEachHandle(Environment::Of(env), NoteNews, &news);
  if (news.Length() == 0) return;
  napi_value undefined = nullptr;
  napi_value arguments[] = {news};
  napi_get_undefined(env, &undefined);
  napi_call_function(env, undefined, on_faults, 1, arguments, nullptr);
}

void StopListening(void* context) {
  auto* listener = static_cast<Listener*>(context);
  core::guard::Unsubscribe(listener);
  napi_release_threadsafe_function(listener->function, napi_tsfn_abort);
}

void ListenerGone(napi_env /*env*/, void* /*data*/, void* hint) {
  delete static_cast<Listener*>(hint);
}

core::guard::Slot* SlotAt(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  return arguments.Bad() ? nullptr : handle->lease.slot();
}

}  // namespace

void KeepFaults(Handle* handle) {
  core::guard::Count counts[core::guard::kKinds];
  if (!TakeNews(handle, counts)) return;
  auto* kept = new core::guard::Count[core::guard::kKinds];
  for (int kind = 0; kind < core::guard::kKinds; ++kind) kept[kind] = counts[kind];
  ForgetFaults(handle);
  handle->last_faults = kept;
  Retain(handle);
}

void ForgetFaults(Handle* handle) {
  if (handle->last_faults == nullptr) return;
  delete[] handle->last_faults;
  handle->last_faults = nullptr;
  Release(handle);
}

Napi::Value ListenForFaults(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!core::guard::Enabled()) return env.Undefined();
  auto* listener = new Listener;
  napi_value name = nullptr;
  napi_create_string_latin1(env, "mmap-native", NAPI_AUTO_LENGTH, &name);
  // one call is pending at the most, whatever the queue may hold
  if (napi_create_threadsafe_function(env, info[0], nullptr, name, 0, 1, listener, ListenerGone, listener, Deliver,
                                      &listener->function) != napi_ok) {
    delete listener;
    return env.Undefined();
  }
  napi_unref_threadsafe_function(env, listener->function);
  core::guard::Subscribe(Notify, listener);
  napi_add_env_cleanup_hook(env, StopListening, listener);
  return env.Undefined();
}

Napi::Value Faults(const Napi::CallbackInfo& info) {
  const core::guard::Slot* slot = SlotAt(info);
  if (info.Env().IsExceptionPending()) return {info.Env(), nullptr};
  core::guard::Count counts[core::guard::kKinds];
  if (slot != nullptr) ReadCounts(slot, counts);
  return AsRecords(info.Env(), counts);
}

Napi::Value WatchFaults(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  const int id = arguments.IntAt(1);
  if (arguments.Bad()) return {info.Env(), nullptr};
  handle->watch = id;
  return info.Env().Undefined();
}

Napi::Value FaultWords(const Napi::CallbackInfo& info) {
  uint64_t length = 0;
  uint32_t* words = core::guard::Words(&length);
  return length == 0 ? info.Env().Undefined() : StaticBuffer(info.Env(), words, length * sizeof(uint32_t));
}

Napi::Value FaultWord(const Napi::CallbackInfo& info) {
  const core::guard::Slot* slot = SlotAt(info);
  const double index = slot == nullptr ? -1 : static_cast<double>(core::guard::WordIndex(slot));
  return Napi::Number::New(info.Env(), index);
}

Napi::Value Verify(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr) return Throw(env, Unmapped());
  const core::Result<core::Verdict> verdict = region->Verify();
  if (!verdict.ok()) return Throw(env, verdict.failure());
  Napi::Object object = Napi::Object::New(env);
  object.Set("fileSize", Napi::Number::New(env, static_cast<double>(verdict.value().file_size)));
  object.Set("lostPages", Napi::Number::New(env, static_cast<double>(verdict.value().lost_pages)));
  object.Set("lostFirst", Napi::Number::New(env, static_cast<double>(verdict.value().lost_first)));
  return object;
}

}  // namespace binding
