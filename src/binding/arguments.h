// What lib/ passes in. It has checked everything and said what was wrong in the caller's words; here
// a value of the wrong kind is a defect of lib/, answered by a TypeError before anything is touched.
#pragma once
#include <napi.h>

#include <cstdint>

#include "binding/environment.h"
#include "core/backing.h"

namespace binding {

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info), env_(info.Env()) {}

  // After the last one is read: is anything wrong? Then an exception is pending.
  bool Bad() const;

  Handle* HandleAt(size_t i);
  int32_t IntAt(size_t i);
  bool BoolAt(size_t i);
  uint64_t BytesAt(size_t i);  // an integer from 0 to 2^53 - 1
  uint64_t BigAt(size_t i);    // a BigInt that fits
  // A string, or the bytes of a Uint8Array, with a 0 behind it; null for undefined.
  const char* PathAt(size_t i);
  // The memory of a TypedArray, DataView or Buffer.
  core::Range MemoryAt(size_t i, char** data);

  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
  ~Arguments();

 private:
  void Wrong(size_t i);

  const Napi::CallbackInfo& info_;
  napi_env env_;
  char* path_ = nullptr;
  int wrong_ = -1;
};

}  // namespace binding
