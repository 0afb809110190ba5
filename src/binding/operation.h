// One system call, or a few, on a range of a mapping: on the caller's thread or on the thread pool.
#pragma once
#include <napi.h>

#include "core/region.h"

namespace binding {

struct Operation;

// What is done, and what JavaScript gets of it.
struct OperationKind {
  core::Status (*call)(Operation& operation) = nullptr;
  napi_value (*result)(napi_env env, const Operation& operation) = nullptr;
  void (*discard)(void* output) = nullptr;
  bool splits = false;  // makes areas of the parts, where it is not asked for the whole
};

struct Operation {
  const OperationKind* kind = nullptr;
  core::Region* region = nullptr;  // in flight until Execute is done
  char* address = nullptr;         // whole pages
  size_t length = 0;
  int argument = 0;
  void* output = nullptr;  // the kind's own, thrown away by its `discard`
  uint64_t count = 0;      // likewise, a number
  core::Status status = core::Unit{};
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

// Reads (handle, offset, length, argument, inPool) and does it.
Napi::Value Run(const Napi::CallbackInfo& info, const OperationKind& kind, bool inside_only = false);

}  // namespace binding
