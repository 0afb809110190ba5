// What lib/ipc asks of native code: exports.ipc. Sleeping, waking, watching for death, and rings; all else is
// JavaScript over Atomics. The signatures are in lib/native.ts.
#pragma once
#include <napi.h>

#include "binding/environment.h"
#include "core/helpers.h"
#include "core/robust.h"

namespace binding {

struct Hold;

// Of one environment, from the first use on until its end.
struct Ipc {
  explicit Ipc(napi_env of);

  napi_env env;
  napi_threadsafe_function fired = nullptr;  // helpers call it when a watch has fired
  core::Helpers helpers;
  core::RobustPages pages;
  Hold* holds = nullptr;
  int doorbell = -1;        // the end that others write to
  uint64_t found_late = 0;  // by waitSync(): see core::Helper

  static Ipc& Of(napi_env env);
};

Napi::Object IpcExports(Napi::Env env);

// The word at an index of an Int32Array, or null with an exception pending.
uint32_t* WordAt(const Napi::CallbackInfo& info, size_t view, size_t index);

}  // namespace binding
