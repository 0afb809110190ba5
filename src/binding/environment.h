// What one JavaScript environment (the main thread, a worker) holds of the process's Regions, and
// how it lets go when it ends: docs/internals.md, "A mapping's life".
#pragma once
#include <napi.h>

#include "core/lease.h"
#include "core/mutex.h"
#include "core/region.h"

namespace binding {

struct Environment;
struct Ipc;
struct Window;

// What a Mapping of lib/ holds: an External with one of these. Freed with the last of the External
// and the windows.
struct Handle {
  core::Lease lease;
  Environment* environment;
  Window* windows = nullptr;
  Handle* previous = nullptr;
  Handle* next = nullptr;
  uint32_t references = 1;
  uint32_t reported_faults = 0;
  int watch = 0;                              // the id under which lib/ hears of its faults
  core::guard::Count* last_faults = nullptr;  // of a mapping that ended before they were told; holds a reference
};

// One ArrayBuffer or SharedArrayBuffer over a part of a mapping. Its memory may be reached for as
// long as the backing store lives (somebody may have moved it to another object) or the object
// does (a job of the runtime's own keeps the object, and a raw pointer into the store).
struct Window {
  Handle* handle = nullptr;
  void* data = nullptr;
  napi_ref object = nullptr;  // weak; none for a SharedArrayBuffer, whose store cannot be moved
  bool store_alive = true;
  bool object_alive = true;
  bool taken = false;     // detached by us: nobody moved its store
  bool counted = true;    // is still a buffer of the lease
  bool orphan = false;    // of a dead environment: its object is of no more account
  uint32_t visitors = 0;  // ForEachWindow
  Window* previous = nullptr;
  Window* next = nullptr;
};

// Its finalizer tells that the environment ends, if it still has one.
struct Sentinel {
  Environment* environment;
};

struct Environment {
  napi_env env = nullptr;
  napi_ref make_error = nullptr;  // lib/errors.ts
  napi_ref transfer = nullptr;    // ArrayBuffer.prototype.transfer, where there is one
  Handle* handles = nullptr;
  Ipc* ipc = nullptr;  // binding/ipc.h, from its first use on
  bool main_thread = false;
  Sentinel* sentinel = nullptr;
  napi_ref sentinel_buffer = nullptr;
  bool stores_die_once = false;  // see Initialize in addon.cc
  bool hooked = false;           // the runtime will call once more when it ends
  bool dead = false;

  bool Done() const { return dead && !hooked && handles == nullptr; }

  static Environment& Of(napi_env env);
  static void Create(napi_env env);
  // To be called after each buffer made, which it has to outlive as the newest.
  void KeepSentinel();
};

// Guards the lists above: finalizers come from other threads on some runtimes. Never held while
// JavaScript or Node-API is called, which may run finalizers at once.
extern core::Mutex lists;

// An External, or an exception.
Napi::Value NewHandle(Napi::Env env, core::Region* region);

// For who needs the handle after its External is gone: each Retain wants a Release.
void Retain(Handle* handle);
void Release(Handle* handle);

// With `lists` held; gives them back. The lease is told outside of them, the window freed last.
void SettleAndUnlock(Window* window);

// The window is the lease's buffer from here on.
void AddWindow(Window* window);
// The finalizers' side; either may free the window.
void StoreGone(Window* window);
void ObjectGone(Window* window);

// Calls visit on every handle, which stays until it returns; visit may do anything.
void ForEachHandle(Environment& environment, void (*visit)(Handle* handle, void* context), void* context);

// Calls visit on every window of the handle; visit may do anything, finalizers included.
void ForEachWindow(Handle* handle, void (*visit)(Environment& environment, Window* window));

}  // namespace binding
