// A core::Failure becomes an Error: lib/errors.ts makes it, where every code and sentence stands.
#pragma once
#include <napi.h>

#include "core/result.h"

namespace binding {

// The Error for a failure; path is a JavaScript value or null.
napi_value MakeError(napi_env env, const core::Failure& failure, napi_value path);

// Throws it. Returns undefined's place, so that `return Throw(…)` reads well.
Napi::Value Throw(Napi::Env env, const core::Failure& failure, napi_value path = nullptr);

// The failure of a call on a mapping after unmap().
core::Failure Unmapped();

}  // namespace binding
