// A hold: the right of one JavaScript object to be the owner of a word, and to be known to have died with it.
#pragma once
#include <napi.h>

#include "binding/environment.h"

namespace binding {

struct Ipc;

// (handle, offset): an External; its end counts as the owner's death.
Napi::Value NewHold(const Napi::CallbackInfo& info);
// (hold): the id to write into the word.
Napi::Value OwnerOf(const Napi::CallbackInfo& info);
// (hold): gives it up now.
Napi::Value EndHold(const Napi::CallbackInfo& info);

// Is one of the words of the mapping held through it? Then it must not go.
bool IsLocked(const Handle* handle);
// For a mapping that goes.
void EndHolds(const Handle* handle);

void EndAllHolds(Ipc& ipc);

}  // namespace binding
