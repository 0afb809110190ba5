// Making, sharing, changing and ending mappings: what is done at once, on the caller's thread. The signatures as
// JavaScript sees them are in lib/native.ts.
#pragma once
#include <napi.h>

namespace binding {

Napi::Value MapFile(const Napi::CallbackInfo& info);
Napi::Value MapAnonymous(const Napi::CallbackInfo& info);
Napi::Value MapMemfd(const Napi::CallbackInfo& info);
Napi::Value MapNamed(const Napi::CallbackInfo& info);
Napi::Value AttachMemfd(const Napi::CallbackInfo& info);
Napi::Value MapRing(const Napi::CallbackInfo& info);
Napi::Value GrowFile(const Napi::CallbackInfo& info);
Napi::Value KnowsAdvice(const Napi::CallbackInfo& info);
Napi::Value Identify(const Napi::CallbackInfo& info);
Napi::Value Label(const Napi::CallbackInfo& info);
Napi::Value Join(const Napi::CallbackInfo& info);
Napi::Value Protect(const Napi::CallbackInfo& info);
Napi::Value CheckResizable(const Napi::CallbackInfo& info);
Napi::Value Resize(const Napi::CallbackInfo& info);
Napi::Value CopyOut(const Napi::CallbackInfo& info);
Napi::Value CopyIn(const Napi::CallbackInfo& info);

}  // namespace binding
