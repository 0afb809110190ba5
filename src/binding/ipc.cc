#include "binding/ipc.h"

#include <cerrno>

#include "binding/arguments.h"
#include "binding/doorbells.h"
#include "binding/errors.h"
#include "binding/holds.h"
#include "binding/mapping.h"
#include "core/futex.h"
#include "core/syscalls.h"

namespace binding {
namespace {

// What waitSync and watch answer; lib/ipc/words.ts has the same numbers.
enum class Answer : int32_t { kNotShared = -1, kOk = 0, kNotEqual = 1, kTimedOut = 2 };

constexpr uint64_t kMillisecond = 1000000;
// A thread that sleeps in native code cannot be terminated: it comes up to look this often.
constexpr uint64_t kSlice = 100 * kMillisecond;

Napi::Value Number(Napi::Env env, double value) {
  return Napi::Number::New(env, value);
}

Napi::Value ToValue(Napi::Env env, Answer answer) {
  return Number(env, static_cast<int32_t>(answer));
}

// On the helper's thread. Where the environment is closing, nobody is left to tell.
void Notify(void* context) {
  napi_call_threadsafe_function(static_cast<Ipc*>(context)->fired, nullptr, napi_tsfn_nonblocking);
}

void CallFired(napi_env env, napi_value fired, void* context, void* /*data*/) {
  core::Fired watch{};
  while (env != nullptr && static_cast<Ipc*>(context)->helpers.Take(&watch)) {
    napi_handle_scope scope = nullptr;
    napi_value undefined = nullptr;
    napi_value arguments[2] = {};
    napi_open_handle_scope(env, &scope);
    napi_get_undefined(env, &undefined);
    napi_create_uint32(env, watch.id, &arguments[0]);
    napi_create_int32(env, -watch.error, &arguments[1]);
    napi_call_function(env, undefined, fired, 2, arguments, nullptr);
    napi_close_handle_scope(env, scope);
  }
}

void IpcEnds(void* data) {
  auto* ipc = static_cast<Ipc*>(data);
  EndAllHolds(*ipc);
  ipc->helpers.Stop();
  core::sys::Close(ipc->doorbell);
  if (ipc->fired != nullptr) napi_release_threadsafe_function(ipc->fired, napi_tsfn_abort);
  delete ipc;
}

// onFired(callback), once, before the first watch: callback(id, errno)
Napi::Value OnFired(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Ipc& ipc = Ipc::Of(env);
  napi_value name = nullptr;
  napi_create_string_latin1(env, "mmap-native", NAPI_AUTO_LENGTH, &name);
  const napi_status made =
      napi_create_threadsafe_function(env, info[0], nullptr, name, 0, 1, nullptr, nullptr, &ipc, CallFired, &ipc.fired);
  if (made != napi_ok) return Throw(env, {ENOMEM, "napi_create_threadsafe_function"});
  napi_unref_threadsafe_function(env, ipc.fired);
  // hooks run newest first: the helpers have to be gone before the function that they call
  napi_remove_env_cleanup_hook(env, IpcEnds, &ipc);
  napi_add_env_cleanup_hook(env, IpcEnds, &ipc);
  return env.Undefined();
}

// keepAlive(yes): whether a watch that has not fired keeps the event loop running
Napi::Value KeepAlive(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  const bool yes = arguments.BoolAt(0);
  if (arguments.Bad()) return {env, nullptr};
  napi_threadsafe_function fired = Ipc::Of(env).fired;
  if (yes) {
    napi_ref_threadsafe_function(env, fired);
  } else {
    napi_unref_threadsafe_function(env, fired);
  }
  return env.Undefined();
}

uint64_t Deadline(double milliseconds) {
  constexpr double kLongest = 1e12;  // 31 years
  if (!(milliseconds < kLongest)) return core::kForever;
  return core::Now() + static_cast<uint64_t>(milliseconds * static_cast<double>(kMillisecond));
}

// False where an index lies outside of the view.
bool ReadPairs(const uint32_t* pairs, uint64_t count, char* view, uint64_t view_words, core::Word* words) {
  for (size_t i = 0; i < count; ++i) {
    if (pairs[2 * i] >= view_words) return false;
    words[i] = {reinterpret_cast<uint32_t*>(view) + pairs[2 * i], pairs[2 * i + 1]};
  }
  return true;
}

// waitSync(view, pairs, count, timeout, turn): pairs is an Int32Array of count times (index, expected). Calls turn(),
// which does nothing, each time it comes up: where JavaScript may not run any more, that fails, and the thread ends.
Napi::Value WaitSync(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  char* view = nullptr;
  char* pairs_data = nullptr;
  const uint64_t view_words = arguments.MemoryAt(0, &view).length / sizeof(uint32_t);
  const uint64_t pairs_words = arguments.MemoryAt(1, &pairs_data).length / sizeof(uint32_t);
  const uint64_t count = arguments.BytesAt(2);
  double timeout = 0;
  napi_get_value_double(env, info[3], &timeout);
  if (arguments.Bad()) return {env, nullptr};
  core::Word words[core::kMostWords];
  const auto* pairs = reinterpret_cast<const uint32_t*>(pairs_data);
  if (count == 0 || count > core::kMostWords || count * 2 > pairs_words) return ToValue(env, Answer::kNotShared);
  if (!ReadPairs(pairs, count, view, view_words, words)) return ToValue(env, Answer::kNotShared);
  core::Region* region = core::Region::BeginOperationAt(view, view_words * sizeof(uint32_t));
  if (region == nullptr) return ToValue(env, Answer::kNotShared);

  const uint64_t deadline = Deadline(timeout);
  Answer answer = Answer::kTimedOut;
  int error = 0;
  for (bool slept = false;; slept = true) {
    const uint64_t slice = core::Now() + kSlice;
    const core::SleepResult result = core::SleepOn(words, count, slice < deadline ? slice : deadline);
    error = result.error;
    if (result.sleep == core::Sleep::kWoken) answer = Answer::kOk;
    if (result.sleep == core::Sleep::kNotEqual) answer = slept ? Answer::kOk : Answer::kNotEqual;
    if (result.sleep == core::Sleep::kNotEqual && slept) ++Ipc::Of(env).found_late;
    if (result.sleep != core::Sleep::kTimedOut || error != 0 || slice >= deadline) break;
    if (napi_call_function(env, env.Undefined(), info[4], 0, nullptr, nullptr) != napi_ok) break;
  }
  (void)region->EndOperation();
  return error == 0 ? ToValue(env, answer) : Throw(env, {error, "futex"});
}

// wake(view, index, count)
Napi::Value Wake(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const uint32_t* word = WordAt(info, 0, 1);
  const int count = arguments.IntAt(2);
  if (word == nullptr || arguments.Bad()) return {info.Env(), nullptr};
  return Number(info.Env(), static_cast<double>(core::Wake(word, count)));
}

// addAndWakeAll(view, index, operand)
Napi::Value AddAndWakeAll(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  uint32_t* word = WordAt(info, 0, 1);
  const int operand = arguments.IntAt(2);
  if (word == nullptr || arguments.Bad()) return {info.Env(), nullptr};
  core::AddAndWakeAll(word, operand);
  return info.Env().Undefined();
}

// clearAndWakeAll(view, index)
Napi::Value ClearAndWakeAll(const Napi::CallbackInfo& info) {
  if (uint32_t* word = WordAt(info, 0, 1)) core::ClearAndWakeAll(word);
  return info.Env().Undefined();
}

// watch(view, index, expected): an id, or -1
Napi::Value Watch(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  uint32_t* word = WordAt(info, 0, 1);
  const auto expected = static_cast<uint32_t>(arguments.IntAt(2));
  if (word == nullptr || arguments.Bad()) return {env, nullptr};
  core::Region* region = core::Region::BeginOperationAt(reinterpret_cast<char*>(word), sizeof *word);
  if (region == nullptr) return ToValue(env, Answer::kNotShared);
  const core::Result<uint32_t> id = Ipc::Of(env).helpers.Watch(word, expected, region);
  return id.ok() ? Number(env, id.value()) : Throw(env, id.failure());
}

// unwatch(id): whether it had not fired yet
Napi::Value Unwatch(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const auto id = static_cast<uint32_t>(arguments.IntAt(0));
  if (arguments.Bad()) return {info.Env(), nullptr};
  return Napi::Boolean::New(info.Env(), Ipc::Of(info.Env()).helpers.Unwatch(id));
}

// foundLate(): how often a second look found what no wake-up had told of
Napi::Value FoundLate(const Napi::CallbackInfo& info) {
  const Ipc& ipc = Ipc::Of(info.Env());
  return Number(info.Env(), static_cast<double>(ipc.helpers.FoundLate() + ipc.found_late));
}

}  // namespace

Ipc::Ipc(napi_env of) : env(of), helpers(Notify, this) {}

Ipc& Ipc::Of(napi_env env) {
  Environment& environment = Environment::Of(env);
  if (environment.ipc == nullptr) {
    environment.ipc = new Ipc(env);
    napi_add_env_cleanup_hook(env, IpcEnds, environment.ipc);
  }
  return *environment.ipc;
}

uint32_t* WordAt(const Napi::CallbackInfo& info, size_t view, size_t index) {
  Arguments arguments(info);
  char* data = nullptr;
  const core::Range bytes = arguments.MemoryAt(view, &data);
  const uint64_t word = arguments.BytesAt(index);
  if (arguments.Bad()) return nullptr;
  if (word < bytes.length / sizeof(uint32_t)) return reinterpret_cast<uint32_t*>(data) + word;
  Throw(info.Env(), {EINVAL, nullptr, core::reason::kRange, bytes.length});
  return nullptr;
}

Napi::Object IpcExports(Napi::Env env) {
  Napi::Object exports = Napi::Object::New(env);
  exports.Set("onFired", Napi::Function::New<OnFired>(env, "onFired"));
  exports.Set("keepAlive", Napi::Function::New<KeepAlive>(env, "keepAlive"));
  exports.Set("waitSync", Napi::Function::New<WaitSync>(env, "waitSync"));
  exports.Set("wake", Napi::Function::New<Wake>(env, "wake"));
  exports.Set("addAndWakeAll", Napi::Function::New<AddAndWakeAll>(env, "addAndWakeAll"));
  exports.Set("clearAndWakeAll", Napi::Function::New<ClearAndWakeAll>(env, "clearAndWakeAll"));
  exports.Set("watch", Napi::Function::New<Watch>(env, "watch"));
  exports.Set("unwatch", Napi::Function::New<Unwatch>(env, "unwatch"));
  exports.Set("foundLate", Napi::Function::New<FoundLate>(env, "foundLate"));
  exports.Set("newHold", Napi::Function::New<NewHold>(env, "newHold"));
  exports.Set("ownerOf", Napi::Function::New<OwnerOf>(env, "ownerOf"));
  exports.Set("endHold", Napi::Function::New<EndHold>(env, "endHold"));
  exports.Set("mapRing", Napi::Function::New<MapRing>(env, "mapRing"));
  exports.Set("makeDoorbell", Napi::Function::New<MakeDoorbell>(env, "makeDoorbell"));
  exports.Set("openDoorbell", Napi::Function::New<OpenDoorbell>(env, "openDoorbell"));
  exports.Set("knock", Napi::Function::New<Knock>(env, "knock"));
  return exports;
}

}  // namespace binding
