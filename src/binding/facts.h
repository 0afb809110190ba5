// What is known of mappings, without asking the kernel.
#pragma once
#include <napi.h>

namespace binding {

// (handle): of one mapping
Napi::Value Facts(const Napi::CallbackInfo& info);
// (handle): bytes in it.
Napi::Value Length(const Napi::CallbackInfo& info);
// (): of every mapping of the process, in whatever thread it was made
Napi::Value List(const Napi::CallbackInfo& info);

}  // namespace binding
