// Giving pages back to their file after faults.
#pragma once
#include <napi.h>

namespace binding {

// (handle, 0, length, lostWrites, inPool): { pages, lostWrites: [{ offset, bytes }] }, or a promise of it
Napi::Value Refresh(const Napi::CallbackInfo& info);

}  // namespace binding
