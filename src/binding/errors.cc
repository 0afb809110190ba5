#include "binding/errors.h"

#include <cerrno>

#include "binding/environment.h"

namespace binding {
namespace {

napi_value TextOrUndefined(napi_env env, const char* text) {
  napi_value value = nullptr;
  if (text == nullptr) {
    napi_get_undefined(env, &value);
  } else {
    napi_create_string_latin1(env, text, NAPI_AUTO_LENGTH, &value);
  }
  return value;
}

}  // namespace

napi_value MakeError(napi_env env, const core::Failure& failure, napi_value path) {
  napi_value make = nullptr;
  napi_value undefined = nullptr;
  napi_value error = nullptr;
  napi_get_undefined(env, &undefined);
  if (napi_get_reference_value(env, Environment::Of(env).make_error, &make) != napi_ok || make == nullptr)
    return undefined;
  napi_value arguments[5] = {nullptr, TextOrUndefined(env, failure.syscall), TextOrUndefined(env, failure.reason),
                             nullptr, path == nullptr ? undefined : path};
  napi_create_int32(env, -failure.error, &arguments[0]);
  napi_create_double(env, static_cast<double>(failure.value), &arguments[3]);
  if (napi_call_function(env, undefined, make, 5, arguments, &error) != napi_ok) return undefined;
  return error;
}

Napi::Value Throw(Napi::Env env, const core::Failure& failure, napi_value path) {
  // where JavaScript can no longer run, there is nobody to throw to
  if (napi_value error = MakeError(env, failure, path)) napi_throw(env, error);
  return {env, nullptr};
}

core::Failure Unmapped() {
  return {EINVAL, nullptr, core::reason::kUnmapped};
}

}  // namespace binding
