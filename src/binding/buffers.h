// The only file that makes external buffers, and that takes them away again.
#pragma once
#include <napi.h>

#include "binding/environment.h"

namespace binding {

// Does this runtime have SharedArrayBuffers over memory of ours?
bool HasSharedBuffers();

// buffer(handle, offset, length) and sharedBuffer(…): the caller has checked that offset lies on 8 bytes.
Napi::Value Buffer(const Napi::CallbackInfo& info);
Napi::Value SharedBuffer(const Napi::CallbackInfo& info);

// An ArrayBuffer over memory of the library's own, which is never given back.
napi_status NewStaticBuffer(napi_env env, void* data, size_t length, napi_finalize gone, void* hint,
                            napi_value* buffer);
Napi::Value StaticBuffer(Napi::Env env, void* data, size_t length);

// Every ArrayBuffer made for the handle has length 0 afterwards, unless it was moved away or the
// runtime holds on to it.
void DetachAll(Handle* handle);

}  // namespace binding
