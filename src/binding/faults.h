// What the guard knows, for JavaScript: counts, the words it reads without a call, and news of faults.
#pragma once
#include <napi.h>

#include "binding/environment.h"

namespace binding {

// (onFaults), once in each environment: calls onFaults([{ watch, faults }]) soon after faults in mappings of this
// environment, once for many, and without keeping the event loop alive.
Napi::Value ListenForFaults(const Napi::CallbackInfo& info);

// The mapping is about to end: faults that were not told of yet are, with the next news.
void KeepFaults(Handle* handle);
void ForgetFaults(Handle* handle);

// (handle): [{ kind, pages, writes, first, latest }], of the kinds that happened
Napi::Value Faults(const Napi::CallbackInfo& info);
// (handle, id): news of its faults come with this id, which is not 0
Napi::Value WatchFaults(const Napi::CallbackInfo& info);
// (): an ArrayBuffer of one Uint32 for each guarded mapping; (handle): which is its, or -1
Napi::Value FaultWords(const Napi::CallbackInfo& info);
Napi::Value FaultWord(const Napi::CallbackInfo& info);
// (handle): { fileSize, lostPages, lostFirst }
Napi::Value Verify(const Napi::CallbackInfo& info);

}  // namespace binding
