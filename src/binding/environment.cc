#include "binding/environment.h"

#include "core/syscalls.h"

namespace binding {

core::Mutex lists;

namespace {

template <class Node>
void Link(Node** head, Node* node) {
  node->next = *head;
  if (node->next != nullptr) node->next->previous = node;
  *head = node;
}

template <class Node>
void Unlink(Node** head, Node* node) {
  if (node->next != nullptr) node->next->previous = node->previous;
  (node->previous == nullptr ? *head : node->previous->next) = node->next;
}

// With `lists` held.
void Unreference(Handle* handle) {
  if (--handle->references > 0) return;
  Environment* environment = handle->environment;
  Unlink(&environment->handles, handle);
  delete handle;
  if (environment->dead && environment->handles == nullptr) delete environment;
}

void HandleGone(napi_env /*env*/, void* data, void* /*hint*/) {
  auto* handle = static_cast<Handle*>(data);
  handle->lease.Drop();
  const core::Locked locked(lists);
  Unreference(handle);
}

// With `lists` held; gives them back. The lease is told outside of them, the window freed last.
void SettleAndUnlock(Window* window) {
  Handle* handle = window->handle;
  const bool gone = !window->store_alive && !window->object_alive;
  const bool unreachable = !window->store_alive && (!window->object_alive || window->orphan);
  const bool uncount = unreachable && window->counted;
  const bool free = gone && window->visitors == 0;
  if (uncount) window->counted = false;
  if (free) Unlink(&handle->windows, window);
  lists.Unlock();
  if (uncount) handle->lease.DropBuffer();
  if (!free) return;
  delete window;
  const core::Locked locked(lists);
  Unreference(handle);
}

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
  handle->lease.Drop();
}

void DeleteReferences(napi_env env, const Environment& environment) {
  for (napi_ref reference : {environment.make_error, environment.transfer, environment.sentinel_buffer})
    if (reference != nullptr) napi_delete_reference(env, reference);
}

// Called by whichever comes first, the sentinel or the hook.
void EnvironmentEnds(void* data) {
  auto* environment = static_cast<Environment*>(data);
  napi_env env = environment->env;
  bool idle = false;
  {
    const core::Locked locked(lists);
    if (environment->dead) return;
    environment->dead = true;
    idle = environment->handles == nullptr;
  }
  napi_handle_scope scope = nullptr;
  const bool scoped = napi_open_handle_scope(env, &scope) == napi_ok;
  DeleteReferences(env, *environment);
  if (idle) {
    delete environment;
  } else {
    ForEachHandle(*environment, EndHandle, nullptr);
  }
  if (scoped) napi_close_handle_scope(env, scope);
}

// The last thing that happens in the main thread: only what it holds of the runtime is given back.
void MainThreadEnds(napi_env env, void* data, void* /*hint*/) {
  auto* environment = static_cast<Environment*>(data);
  DeleteReferences(env, *environment);
  const core::Locked locked(lists);
  environment->dead = true;
  if (environment->handles == nullptr) delete environment;
}

void SentinelGone(napi_env /*env*/, void* /*data*/, void* hint) {
  auto* sentinel = static_cast<Sentinel*>(hint);
  if (sentinel->environment != nullptr) EnvironmentEnds(sentinel->environment);
  delete sentinel;
}

}  // namespace

Environment& Environment::Of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
}

void Environment::Create(napi_env env) {
  auto* environment = new Environment;
  environment->env = env;
  environment->main_thread = core::sys::OnMainThread();
  napi_set_instance_data(env, environment, environment->main_thread ? MainThreadEnds : nullptr, nullptr);
  // the main thread ends with the process, which gives everything back
  if (!environment->main_thread) napi_add_env_cleanup_hook(env, EnvironmentEnds, environment);
}

// A dying runtime takes the stores of external buffers away before it calls any hook, the newest first: a buffer that
// is always the newest tells of the end while the others can still be looked at.
void Environment::KeepSentinel() {
  if (main_thread || stores_die_once) return;
  static char memory[1];
  auto* next = new Sentinel{this};
  napi_value buffer = nullptr;
  if (napi_create_external_arraybuffer(env, memory, sizeof memory, SentinelGone, next, &buffer) != napi_ok) {
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

Napi::Value NewHandle(Napi::Env env, core::Region* region) {
  Environment& environment = Environment::Of(env);
  auto* handle = new Handle{.lease = core::Lease(region), .environment = &environment};
  {
    const core::Locked locked(lists);
    Link(&environment.handles, handle);
  }
  napi_value external = nullptr;
  if (napi_create_external(env, handle, HandleGone, nullptr, &external) != napi_ok) HandleGone(env, handle, nullptr);
  return {env, external};
}

void Retain(Handle* handle) {
  const core::Locked locked(lists);
  ++handle->references;
}

void Release(Handle* handle) {
  const core::Locked locked(lists);
  Unreference(handle);
}

void AddWindow(Window* window) {
  window->handle->lease.AddBuffer();
  const core::Locked locked(lists);
  ++window->handle->references;
  Link(&window->handle->windows, window);
}

void StoreGone(Window* window) {
  lists.Lock();
  // a dying environment says this of stores that live on elsewhere, too
  const Environment* environment = window->handle->environment;
  const bool believed =
      !environment->dead || environment->stores_die_once || window->object == nullptr || !window->counted;
  if (believed) {
    window->store_alive = false;
    SettleAndUnlock(window);
  } else {
    lists.Unlock();
  }
}

void ObjectGone(Window* window) {
  lists.Lock();
  window->object_alive = false;
  SettleAndUnlock(window);
}

void ForEachHandle(Environment& environment, void (*visit)(Handle* handle, void* context), void* context) {
  lists.Lock();
  Handle* handle = environment.handles;
  if (handle != nullptr) ++handle->references;
  while (handle != nullptr) {
    lists.Unlock();
    visit(handle, context);
    lists.Lock();
    Handle* next = handle->next;
    if (next != nullptr) ++next->references;
    Unreference(handle);  // may be the last that kept a dead environment
    handle = next;
  }
  lists.Unlock();
}

void ForEachWindow(Handle* handle, void (*visit)(Environment& environment, Window* window)) {
  Environment& environment = *handle->environment;
  lists.Lock();
  Window* window = handle->windows;
  if (window != nullptr) ++window->visitors;
  while (window != nullptr) {
    lists.Unlock();
    visit(environment, window);
    lists.Lock();
    Window* next = window->next;
    if (next != nullptr) ++next->visitors;
    --window->visitors;
    SettleAndUnlock(window);
    lists.Lock();
    window = next;
  }
  lists.Unlock();
}

}  // namespace binding
