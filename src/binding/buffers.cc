#include "binding/buffers.h"

#include <cerrno>

#include "binding/arguments.h"
#include "binding/errors.h"

// Weak: absent in Node 20 and Deno, and the one binary loads there all the same.
extern "C" __attribute__((weak)) napi_status node_api_create_external_sharedarraybuffer(
    napi_env env, void* external_data, size_t byte_length,
    void (*finalize_cb)(void* external_data, void* finalize_hint), void* finalize_hint, napi_value* result);

namespace binding {
namespace {

void OnStoreGone(napi_env /*env*/, void* /*data*/, void* hint) {
  StoreGone(static_cast<Window*>(hint));
}

void OnSharedStoreGone(void* /*data*/, void* hint) {
  StoreGone(static_cast<Window*>(hint));
}

void OnObjectGone(napi_env env, void* data, void* /*hint*/) {
  auto* window = static_cast<Window*>(data);
  napi_ref object = window->object;
  ObjectGone(window);
  if (object != nullptr) napi_delete_reference(env, object);
}

struct Wanted {
  Handle* handle = nullptr;
  char* data = nullptr;
  size_t length = 0;
};

// A window that is not empty, or a null handle with an exception pending.
Wanted ReadWanted(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  const uint64_t offset = arguments.BytesAt(1);
  const uint64_t length = arguments.BytesAt(2);
  if (arguments.Bad()) return {};
  const core::Region* region = handle->lease.region();
  if (region == nullptr) return Throw(info.Env(), Unmapped()), Wanted{};
  const core::Result<core::Range> range = region->CheckFromLead(offset, length);
  if (!range.ok()) return Throw(info.Env(), range.failure()), Wanted{};
  return {handle, region->base() + offset, length};
}

// The pending exception of the runtime, or one that says what happened.
Napi::Value Refused(Napi::Env env, napi_status status) {
  if (env.IsExceptionPending()) return {env, nullptr};
  const bool forbidden = status == napi_no_external_buffers_allowed;
  return Throw(env, {forbidden ? ENOTSUP : ENOMEM, nullptr,
                     forbidden ? core::reason::kNoExternal : core::reason::kBufferRefused});
}

}  // namespace

bool HasSharedBuffers() {
  return node_api_create_external_sharedarraybuffer != nullptr;
}

napi_status NewStaticBuffer(napi_env env, void* data, size_t length, napi_finalize gone, void* hint,
                            napi_value* buffer) {
  return napi_create_external_arraybuffer(env, data, length, gone, hint, buffer);
}

Napi::Value StaticBuffer(Napi::Env env, void* data, size_t length) {
  auto nothing = [](napi_env, void*, void*) {};
  napi_value buffer = nullptr;
  const napi_status made = NewStaticBuffer(env, data, length, nothing, nullptr, &buffer);
  return made == napi_ok ? Napi::Value(env, buffer) : Refused(env, made);
}

Napi::Value Buffer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Wanted wanted = ReadWanted(info);
  if (wanted.handle == nullptr) return {env, nullptr};
  auto* window = new Window{.handle = wanted.handle, .data = wanted.data};
  AddWindow(window);
  napi_value buffer = nullptr;
  const napi_status made =
      napi_create_external_arraybuffer(env, wanted.data, wanted.length, OnStoreGone, window, &buffer);
  if (made != napi_ok) {
    // Some runtimes have run the finalizer by then, others never will: two flags, set however often, once.
    StoreGone(window);
    ObjectGone(window);
    return Refused(env, made);
  }
  if (napi_add_finalizer(env, buffer, window, OnObjectGone, nullptr, &window->object) != napi_ok) ObjectGone(window);
  wanted.handle->environment->KeepSentinel();
  return {env, buffer};
}

Napi::Value SharedBuffer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Wanted wanted = ReadWanted(info);
  if (wanted.handle == nullptr) return {env, nullptr};
  auto* window = new Window{.handle = wanted.handle, .data = wanted.data, .object_alive = false};
  AddWindow(window);
  napi_value buffer = nullptr;
  const napi_status made =
      node_api_create_external_sharedarraybuffer(env, wanted.data, wanted.length, OnSharedStoreGone, window, &buffer);
  if (made != napi_ok) {
    StoreGone(window);
    return Refused(env, made);
  }
  return {env, buffer};
}

namespace {

// Detaching a buffer that cannot be detached aborts some runtimes; transfer() throws instead. What it
// returns has our memory exactly if nobody moved it before.
void Detach(Environment& environment, Window* window) {
  napi_env env = environment.env;
  napi_handle_scope scope = nullptr;
  if (!window->object_alive || window->object == nullptr) return;
  if (napi_open_handle_scope(env, &scope) != napi_ok) return;
  napi_value buffer = nullptr;
  napi_value transfer = nullptr;
  napi_value ignored = nullptr;
  if (napi_get_reference_value(env, window->object, &buffer) == napi_ok && buffer != nullptr) {
    if (environment.transfer != nullptr) {
      napi_get_reference_value(env, environment.transfer, &transfer);
      if (napi_call_function(env, buffer, transfer, 0, nullptr, &buffer) != napi_ok) {
        napi_get_and_clear_last_exception(env, &ignored);
        buffer = nullptr;
      }
    }
    void* data = nullptr;
    size_t length = 0;
    if (buffer != nullptr && napi_get_arraybuffer_info(env, buffer, &data, &length) == napi_ok && data == window->data)
      window->taken = napi_detach_arraybuffer(env, buffer) == napi_ok;
  }
  napi_close_handle_scope(env, scope);
}

}  // namespace

void DetachAll(Handle* handle) {
  ForEachWindow(handle, Detach);
}

}  // namespace binding
