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

struct Operation {
  Call call;
  core::Region* region = nullptr;  // in flight: released by Execute
  char* address = nullptr;         // whole pages
  size_t length = 0;
  int argument = 0;
  unsigned char* bitmap = nullptr;
  size_t bitmap_length = 0;
  core::Status status = core::Unit{};
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
};

core::Status CallMsync(Operation& operation) {
  return core::sys::Msync(operation.address, operation.length, operation.argument);
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

// Nothing: the mapping was ended with this operation in flight, and goes when it does.
core::Status CallNothing(Operation& /*operation*/) {
  return core::Unit{};
}

napi_value ResultOf(napi_env env, const Operation& operation) {
  napi_value value = nullptr;
  if (operation.bitmap == nullptr) return napi_get_undefined(env, &value), value;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, operation.bitmap_length, &data, &value) == napi_ok && data != nullptr)
    std::memcpy(data, operation.bitmap, operation.bitmap_length);
  return value;
}

void Execute(napi_env /*env*/, void* data) {
  auto* operation = static_cast<Operation*>(data);
  operation->status = operation->call(*operation);
  const core::Status ended = operation->region->EndOperation();
  if (operation->status.ok()) operation->status = ended;
  operation->region = nullptr;
}

void Free(Operation* operation) {
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

Napi::Value UnmapInPool(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  DetachAll(handle);
  if (region == nullptr || !region->BeginOperation()) return Throw(env, Unmapped());
  const core::Status ended = handle->lease.End();
  auto* operation = new Operation{.call = CallNothing, .region = region};
  if (!ended.ok()) operation->status = ended;
  return Queue(env, operation);
}

}  // namespace binding
