#include "binding/arguments.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace binding {

Arguments::~Arguments() {
  std::free(path_);
}

void Arguments::Wrong(size_t i) {
  if (wrong_ < 0) wrong_ = static_cast<int>(i);
}

bool Arguments::Bad() const {
  if (wrong_ < 0) return false;
  char message[64];
  std::snprintf(message, sizeof message, "argument %d of a native call is of the wrong kind", wrong_);
  napi_throw_type_error(env_, "ERR_INVALID_ARG_TYPE", message);
  return true;
}

Handle* Arguments::HandleAt(size_t i) {
  void* data = nullptr;
  if (napi_get_value_external(env_, info_[i], &data) != napi_ok) Wrong(i);
  return static_cast<Handle*>(data);
}

int32_t Arguments::IntAt(size_t i) {
  int32_t value = 0;
  if (napi_get_value_int32(env_, info_[i], &value) != napi_ok) Wrong(i);
  return value;
}

bool Arguments::BoolAt(size_t i) {
  bool value = false;
  if (napi_get_value_bool(env_, info_[i], &value) != napi_ok) Wrong(i);
  return value;
}

uint64_t Arguments::BytesAt(size_t i) {
  double value = 0;
  constexpr double kEnd = 9007199254740992.0;
  if (napi_get_value_double(env_, info_[i], &value) != napi_ok || !(value >= 0 && value < kEnd)) {
    Wrong(i);
    return 0;
  }
  const auto bytes = static_cast<uint64_t>(value);
  if (static_cast<double>(bytes) != value) Wrong(i);
  return bytes;
}

uint64_t Arguments::BigAt(size_t i) {
  uint64_t value = 0;
  bool lossless = false;
  if (napi_get_value_bigint_uint64(env_, info_[i], &value, &lossless) != napi_ok || !lossless) Wrong(i);
  return value;
}

const char* Arguments::PathAt(size_t i) {
  const Napi::Value value = info_[i];
  if (value.IsUndefined()) return nullptr;
  char* bytes = nullptr;
  size_t length = 0;
  if (value.IsString()) {
    napi_get_value_string_utf8(env_, value, nullptr, 0, &length);
    path_ = static_cast<char*>(std::malloc(length + 1));
    if (path_ != nullptr) napi_get_value_string_utf8(env_, value, path_, length + 1, &length);
  } else {
    length = MemoryAt(i, &bytes).length;
    path_ = static_cast<char*>(std::malloc(length + 1));
    if (path_ != nullptr && bytes != nullptr) std::memcpy(path_, bytes, length);
  }
  if (path_ == nullptr) Wrong(i);
  if (path_ != nullptr) path_[length] = '\0';
  return path_;
}

core::Range Arguments::MemoryAt(size_t i, char** data) {
  const Napi::Value value = info_[i];
  void* bytes = nullptr;
  size_t length = 0;
  napi_status status = napi_invalid_arg;
  if (value.IsTypedArray()) {
    napi_typedarray_type type{};
    size_t elements = 0;
    status = napi_get_typedarray_info(env_, value, &type, &elements, &bytes, nullptr, nullptr);
    length = elements * Napi::TypedArray(env_, value).ElementSize();
  } else if (value.IsDataView()) {
    status = napi_get_dataview_info(env_, value, &length, &bytes, nullptr, nullptr);
  }
  if (status != napi_ok) Wrong(i);
  *data = static_cast<char*>(bytes);
  return {0, status == napi_ok ? length : 0};
}

}  // namespace binding
