#include "binding/environment.h"

#include "binding/faults.h"

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
  if (environment->Done()) delete environment;
}

void HandleGone(napi_env /*env*/, void* data, void* /*hint*/) {
  auto* handle = static_cast<Handle*>(data);
  if (handle->lease.region() != nullptr) KeepFaults(handle);
  handle->lease.Drop();
  const core::Locked locked(lists);
  Unreference(handle);
}

}  // namespace

Environment& Environment::Of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return *static_cast<Environment*>(data);
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
