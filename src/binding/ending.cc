// How an environment lets go of its mappings when it ends.
#include "binding/buffers.h"
#include "binding/environment.h"
#include "binding/faults.h"
#include "core/syscalls.h"

namespace binding {
namespace {

bool StillInPlace(napi_env env, const Window* window) {
  napi_value buffer = nullptr;
  void* data = nullptr;
  size_t length = 0;
  if (!window->object_alive || window->object == nullptr) return false;
  if (napi_get_reference_value(env, window->object, &buffer) != napi_ok) return false;
  return buffer != nullptr && napi_get_arraybuffer_info(env, buffer, &data, &length) == napi_ok && data == window->data;
}

// No JavaScript runs in this environment again and no job of the runtime's is left in it: a buffer that still has its
// store is done with. One whose store was moved may live in another thread, for as long as nobody can tell: its address
// stays taken, and the file is let go.
void LetGo(Environment& environment, Window* window) {
  const bool in_place = !environment.stores_die_once && StillInPlace(environment.env, window);
  lists.Lock();
  window->orphan = true;
  const bool done = in_place || window->taken || !window->store_alive;
  // where the store's own end can be waited for, it is
  if (!done && (environment.stores_die_once || window->object == nullptr)) return SettleAndUnlock(window);
  const bool uncount = window->counted;
  window->counted = false;
  lists.Unlock();
  if (!uncount) return;
  if (done) {
    window->handle->lease.DropBuffer();
  } else {
    window->handle->lease.Abandon();
  }
}

void EndHandle(Handle* handle, void* /*context*/) {
  ForEachWindow(handle, LetGo);
  ForgetFaults(handle);
  handle->lease.Drop();
}

void DeleteReferences(napi_env env, const Environment& environment) {
  for (napi_ref reference : {environment.make_error, environment.transfer, environment.sentinel_buffer})
    if (reference != nullptr) napi_delete_reference(env, reference);
}

// Called by whichever comes first, the sentinel or the hook.
void End(Environment& environment) {
  {
    const core::Locked locked(lists);
    if (environment.dead) return;
    environment.dead = true;
  }
  napi_handle_scope scope = nullptr;
  const bool scoped = napi_open_handle_scope(environment.env, &scope) == napi_ok;
  DeleteReferences(environment.env, environment);
  ForEachHandle(environment, EndHandle, nullptr);
  if (scoped) napi_close_handle_scope(environment.env, scope);
}

void OnCleanup(void* data) {
  auto* environment = static_cast<Environment*>(data);
  End(*environment);
  const core::Locked locked(lists);
  environment->hooked = false;
  if (environment->Done()) delete environment;
}

// The last thing that happens in the main thread: only what it holds of the runtime is given back.
void MainThreadEnds(napi_env env, void* data, void* /*hint*/) {
  auto* environment = static_cast<Environment*>(data);
  DeleteReferences(env, *environment);
  const core::Locked locked(lists);
  environment->dead = true;
  if (environment->Done()) delete environment;
}

void SentinelGone(napi_env /*env*/, void* /*data*/, void* hint) {
  auto* sentinel = static_cast<Sentinel*>(hint);
  if (sentinel->environment != nullptr) End(*sentinel->environment);
  delete sentinel;
}

}  // namespace

void Environment::Create(napi_env env) {
  auto* environment = new Environment;
  environment->env = env;
  environment->main_thread = core::sys::OnMainThread();
  napi_set_instance_data(env, environment, environment->main_thread ? MainThreadEnds : nullptr, nullptr);
  // the main thread ends with the process, which gives everything back
  if (environment->main_thread) return;
  environment->hooked = napi_add_env_cleanup_hook(env, OnCleanup, environment) == napi_ok;
}

// A dying runtime takes the stores of external buffers away before it calls any hook, the newest first: a buffer that
// is always the newest tells of the end while the others can still be looked at.
void Environment::KeepSentinel() {
  if (main_thread || stores_die_once) return;
  static char memory[1];
  auto* next = new Sentinel{this};
  napi_value buffer = nullptr;
  if (NewStaticBuffer(env, memory, sizeof memory, SentinelGone, next, &buffer) != napi_ok) {
    next->environment = nullptr;  // whether its finalizer comes is up to the runtime
    return;
  }
  if (sentinel != nullptr) {
    sentinel->environment = nullptr;
    napi_delete_reference(env, sentinel_buffer);
  }
  sentinel = next;
  napi_create_reference(env, buffer, 1, &sentinel_buffer);
}

}  // namespace binding
