#include "binding/refresh.h"

#include <cstdlib>
#include <cstring>

#include "binding/operation.h"

namespace binding {
namespace {

// A page of lost writes that refresh() hands back; its bytes follow.
struct Kept {
  Kept* next;
  uint64_t offset;
  uint64_t length;
};

// lib/native.ts has the same numbers.
enum class LostWrites : int { kRefuse, kWriteBack, kReturn, kDiscard };

void Keep(void* context, uint64_t offset, const char* bytes, uint64_t length) {
  auto* operation = static_cast<Operation*>(context);
  auto* copy = static_cast<Kept*>(std::malloc(sizeof(Kept) + length));
  if (copy == nullptr) std::abort();
  *copy = {static_cast<Kept*>(operation->output), offset, length};
  std::memcpy(copy + 1, bytes, length);
  operation->output = copy;
}

core::Status CallRefresh(Operation& operation) {
  const auto lost_writes = static_cast<LostWrites>(operation.argument);
  if (lost_writes == LostWrites::kRefuse) {
    const core::Status written = operation.region->CheckWritten();
    if (!written.ok()) return written;
  }
  const core::Result<uint64_t> refreshed =
      operation.region->Refresh({.write_back = lost_writes == LostWrites::kWriteBack,
                                 .keep = lost_writes == LostWrites::kReturn ? Keep : nullptr,
                                 .context = &operation});
  if (!refreshed.ok()) return refreshed.failure();
  operation.count = refreshed.value();
  return core::Unit{};
}

// { pages, lostWrites: [{ offset, bytes }] }
napi_value RefreshedAsObject(napi_env env, const Operation& operation) {
  Napi::Object result = Napi::Object::New(env);
  Napi::Array list = Napi::Array::New(env);
  // kept last first
  uint32_t count = 0;
  for (const auto* kept = static_cast<const Kept*>(operation.output); kept != nullptr; kept = kept->next) ++count;
  for (const auto* kept = static_cast<const Kept*>(operation.output); kept != nullptr; kept = kept->next) {
    Napi::Object entry = Napi::Object::New(env);
    napi_value bytes = nullptr;
    napi_create_buffer_copy(env, kept->length, kept + 1, nullptr, &bytes);
    entry.Set("offset", Napi::Number::New(env, static_cast<double>(kept->offset)));
    entry.Set("bytes", Napi::Value(env, bytes));
    list.Set(--count, entry);
  }
  result.Set("pages", Napi::Number::New(env, static_cast<double>(operation.count)));
  result.Set("lostWrites", list);
  return result;
}

void FreeKept(void* output) {
  auto* kept = static_cast<Kept*>(output);
  while (kept != nullptr) {
    Kept* next = kept->next;
    std::free(kept);
    kept = next;
  }
}

constexpr OperationKind kRefresh{CallRefresh, RefreshedAsObject, FreeKept};

}  // namespace

Napi::Value Refresh(const Napi::CallbackInfo& info) {
  return Run(info, kRefresh);
}

}  // namespace binding
