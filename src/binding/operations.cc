#include "binding/operations.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "binding/arguments.h"
#include "binding/buffers.h"
#include "binding/errors.h"
#include "core/syscalls.h"

namespace binding {
namespace {

struct Operation;
using Call = core::Status (*)(Operation& operation);

// A page of lost writes that refresh() hands back; its bytes follow.
struct Kept {
  Kept* next;
  uint64_t offset;
  uint64_t length;
};

// lib/native.ts has the same numbers.
enum class LostWrites : int { kRefuse, kWriteBack, kReturn, kDiscard };

struct Operation {
  Call call;
  core::Region* region = nullptr;  // in flight: released by Execute
  char* address = nullptr;         // whole pages
  size_t length = 0;
  int argument = 0;
  unsigned char* bitmap = nullptr;
  size_t bitmap_length = 0;
  uint64_t refreshed = 0;
  Kept* kept = nullptr;
  core::Status status = core::Unit{};
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

core::Status CallMsync(Operation& operation) {
  const core::Status synced = core::sys::Msync(operation.address, operation.length, operation.argument);
  // what never reached the file is not there now either, whatever the kernel says of the rest
  return synced.ok() ? operation.region->CheckWritten(operation.address, operation.length) : synced;
}

core::Status CallMadvise(Operation& operation) {
  return core::sys::Madvise(operation.address, operation.length, operation.argument);
}

core::Status CallMlock(Operation& operation) {
  return core::sys::Mlock2(operation.address, operation.length, operation.argument);
}

core::Status CallMunlock(Operation& operation) {
  return core::sys::Munlock(operation.address, operation.length);
}

core::Status CallMincore(Operation& operation) {
  const uint64_t page = core::PageSize();  // mincore(2) counts ordinary pages, whatever backs the mapping
  const size_t pages = operation.length / page;
  operation.bitmap_length = (pages + 7) / 8;
  operation.bitmap = static_cast<unsigned char*>(std::calloc(operation.bitmap_length + 1, 1));
  if (operation.bitmap == nullptr) return core::Failure{ENOMEM, "mincore"};
  unsigned char resident[4096];
  for (size_t first = 0; first < pages; first += sizeof resident) {
    const size_t count = pages - first < sizeof resident ? pages - first : sizeof resident;
    const core::Status status = core::sys::Mincore(operation.address + first * page, count * page, resident);
    if (!status.ok()) return status;
    for (size_t i = 0; i < count; ++i) {
      const unsigned bit = (resident[i] & 1U) << ((first + i) % 8);
      operation.bitmap[(first + i) / 8] = static_cast<unsigned char>(operation.bitmap[(first + i) / 8] | bit);
    }
  }
  return core::Unit{};
}

void Keep(void* context, uint64_t offset, const char* bytes, uint64_t length) {
  auto* operation = static_cast<Operation*>(context);
  auto* copy = static_cast<Kept*>(std::malloc(sizeof(Kept) + length));
  if (copy == nullptr) std::abort();
  *copy = {operation->kept, offset, length};
  std::memcpy(copy + 1, bytes, length);
  operation->kept = copy;
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
  operation.refreshed = refreshed.value();
  return core::Unit{};
}

// Nothing: the mapping was ended with this operation in flight, and goes when it does.
core::Status CallNothing(Operation& /*operation*/) {
  return core::Unit{};
}

// { pages, lostWrites: [{ offset, bytes }] }
napi_value RefreshedAsObject(napi_env env, const Operation& operation) {
  Napi::Object result = Napi::Object::New(env);
  Napi::Array list = Napi::Array::New(env);
  uint32_t count = 0;
  for (const Kept* kept = operation.kept; kept != nullptr; kept = kept->next) {
    Napi::Object entry = Napi::Object::New(env);
    napi_value bytes = nullptr;
    napi_create_buffer_copy(env, kept->length, kept + 1, nullptr, &bytes);
    entry.Set("offset", Napi::Number::New(env, static_cast<double>(kept->offset)));
    entry.Set("bytes", Napi::Value(env, bytes));
    list.Set(count++, entry);
  }
  result.Set("pages", Napi::Number::New(env, static_cast<double>(operation.refreshed)));
  result.Set("lostWrites", list);
  return result;
}

napi_value ResultOf(napi_env env, const Operation& operation) {
  napi_value value = nullptr;
  if (operation.call == CallRefresh) return RefreshedAsObject(env, operation);
  if (operation.bitmap == nullptr) return napi_get_undefined(env, &value), value;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, operation.bitmap_length, &data, &value) == napi_ok && data != nullptr)
    std::memcpy(data, operation.bitmap, operation.bitmap_length);
  return value;
}

void Execute(napi_env /*env*/, void* data) {
  auto* operation = static_cast<Operation*>(data);
  const core::Status called = operation->call(*operation);
  if (operation->status.ok()) operation->status = called;
  const core::Status ended = operation->region->EndOperation();
  if (operation->status.ok()) operation->status = ended;
  operation->region = nullptr;
}

void Free(Operation* operation) {
  while (operation->kept != nullptr) {
    Kept* next = operation->kept->next;
    std::free(operation->kept);
    operation->kept = next;
  }
  std::free(operation->bitmap);
  delete operation;
}

void Complete(napi_env env, napi_status /*status*/, void* data) {
  auto* operation = static_cast<Operation*>(data);
  if (operation->region != nullptr) (void)operation->region->EndOperation();  // cancelled before it began
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env, &scope);
  if (operation->status.ok()) {
    napi_resolve_deferred(env, operation->deferred, ResultOf(env, *operation));
  } else {
    napi_reject_deferred(env, operation->deferred, MakeError(env, operation->status.failure(), nullptr));
  }
  napi_delete_async_work(env, operation->work);
  napi_close_handle_scope(env, scope);
  Free(operation);
}

Napi::Value Queue(Napi::Env env, Operation* operation) {
  napi_value promise = nullptr;
  napi_value name = nullptr;
  napi_create_string_latin1(env, "mmap-native", NAPI_AUTO_LENGTH, &name);
  const bool queued =
      napi_create_promise(env, &operation->deferred, &promise) == napi_ok &&
      napi_create_async_work(env, nullptr, name, Execute, Complete, operation, &operation->work) == napi_ok &&
      napi_queue_async_work(env, operation->work) == napi_ok;
  if (!queued) {
    (void)operation->region->EndOperation();
    Free(operation);
    return Throw(env, {EAGAIN, "pthread_create"});
  }
  return {env, promise};
}

Napi::Value Run(const Napi::CallbackInfo& info, Call call, bool inside_only) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  const uint64_t offset = arguments.BytesAt(1);
  const uint64_t length = arguments.BytesAt(2);
  const int argument = arguments.IntAt(3);
  const bool in_pool = arguments.BoolAt(4);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr || !region->BeginOperation()) return Throw(env, Unmapped());
  const core::Result<core::Range> range = region->Check(offset, length);
  if (!range.ok()) {
    (void)region->EndOperation();
    return Throw(env, range.failure());
  }
  auto* operation = new Operation{.call = call, .region = region, .argument = argument};
  operation->address = region->PagesOf(range.value(), inside_only, &operation->length);
  // no page, nothing to do; some calls make an error of it
  if (operation->length == 0) operation->call = CallNothing;
  if (in_pool) return Queue(env, operation);
  Execute(env, operation);
  const Napi::Value result =
      operation->status.ok() ? Napi::Value(env, ResultOf(env, *operation)) : Throw(env, operation->status.failure());
  Free(operation);
  return result;
}

}  // namespace

Napi::Value Msync(const Napi::CallbackInfo& info) {
  return Run(info, CallMsync, false);
}

Napi::Value Madvise(const Napi::CallbackInfo& info) {
  return Run(info, CallMadvise, false);
}

Napi::Value MadviseInside(const Napi::CallbackInfo& info) {
  return Run(info, CallMadvise, true);
}

Napi::Value Mlock(const Napi::CallbackInfo& info) {
  return Run(info, CallMlock, false);
}

Napi::Value Munlock(const Napi::CallbackInfo& info) {
  return Run(info, CallMunlock, false);
}

Napi::Value Mincore(const Napi::CallbackInfo& info) {
  return Run(info, CallMincore, false);
}

Napi::Value Refresh(const Napi::CallbackInfo& info) {
  return Run(info, CallRefresh, false);
}

Napi::Value UnmapInPool(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  DetachAll(handle);
  if (region == nullptr || !region->BeginOperation()) return Throw(env, Unmapped());
  auto* operation = new Operation{.call = CallNothing, .region = region};
  operation->status = region->CheckWritten();
  const core::Status ended = handle->lease.End();
  if (!ended.ok()) operation->status = ended;
  return Queue(env, operation);
}

}  // namespace binding
