#include "binding/operations.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "binding/arguments.h"
#include "binding/buffers.h"
#include "binding/errors.h"
#include "binding/faults.h"
#include "binding/holds.h"
#include "binding/operation.h"
#include "core/guard.h"
#include "core/limits.h"
#include "core/syscalls.h"

namespace binding {
namespace {

napi_value NoResult(napi_env env, const Operation& /*operation*/) {
  napi_value undefined = nullptr;
  napi_get_undefined(env, &undefined);
  return undefined;
}

void NoOutput(void* /*output*/) {}

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
  operation.count = (pages + 7) / 8;
  auto* bitmap = static_cast<unsigned char*>(std::calloc(operation.count + 1, 1));
  operation.output = bitmap;
  if (bitmap == nullptr) return core::Failure{ENOMEM, "mincore"};
  unsigned char resident[4096];
  for (size_t first = 0; first < pages; first += sizeof resident) {
    const size_t count = pages - first < sizeof resident ? pages - first : sizeof resident;
    const core::Status status = core::sys::Mincore(operation.address + first * page, count * page, resident);
    if (!status.ok()) return status;
    for (size_t i = 0; i < count; ++i) {
      const unsigned bit = (resident[i] & 1U) << ((first + i) % 8);
      bitmap[(first + i) / 8] = static_cast<unsigned char>(bitmap[(first + i) / 8] | bit);
    }
  }
  return core::Unit{};
}

// Nothing: the mapping was ended with this operation in flight, and goes when it does.
core::Status CallNothing(Operation& /*operation*/) {
  return core::Unit{};
}

napi_value BitmapAsBuffer(napi_env env, const Operation& operation) {
  napi_value buffer = nullptr;
  void* data = nullptr;
  if (napi_create_arraybuffer(env, operation.count, &data, &buffer) == napi_ok && data != nullptr)
    std::memcpy(data, operation.output, operation.count);
  return buffer;
}

constexpr OperationKind kMsync{CallMsync, NoResult, NoOutput};
constexpr OperationKind kMadvise{CallMadvise, NoResult, NoOutput, true};
constexpr OperationKind kMlock{CallMlock, NoResult, NoOutput, true};
constexpr OperationKind kMunlock{CallMunlock, NoResult, NoOutput, true};
constexpr OperationKind kMincore{CallMincore, BitmapAsBuffer, std::free};
constexpr OperationKind kNothing{CallNothing, NoResult, NoOutput};

void Execute(napi_env /*env*/, void* data) {
  auto* operation = static_cast<Operation*>(data);
  // a range without a page is no error here, as it is for some of the calls
  const bool anything = operation->length > 0 || operation->kind == &kMincore;
  const core::Status called = anything ? operation->kind->call(*operation) : core::Status(core::Unit{});
  if (operation->status.ok()) operation->status = called;
  const core::Status ended = operation->region->EndOperation();
  if (operation->status.ok()) operation->status = ended;
  operation->region = nullptr;
}

void Free(Operation* operation) {
  operation->kind->discard(operation->output);
  delete operation;
}

void Complete(napi_env env, napi_status /*status*/, void* data) {
  auto* operation = static_cast<Operation*>(data);
  if (operation->region != nullptr) (void)operation->region->EndOperation();  // cancelled before it began
  napi_handle_scope scope = nullptr;
  napi_open_handle_scope(env, &scope);
  if (operation->status.ok()) {
    napi_resolve_deferred(env, operation->deferred, operation->kind->result(env, *operation));
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

}  // namespace

Napi::Value Run(const Napi::CallbackInfo& info, const OperationKind& kind, bool inside_only) {
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
  const core::Status admitted =
      kind.splits && length < region->length() ? core::AdmitArea() : core::Status(core::Unit{});
  if (!range.ok() || !admitted.ok()) {
    (void)region->EndOperation();
    return Throw(env, range.ok() ? admitted.failure() : range.failure());
  }
  auto* operation = new Operation{.kind = &kind, .region = region, .argument = argument};
  operation->address = region->PagesOf(range.value(), inside_only, &operation->length);
  if (in_pool) return Queue(env, operation);
  Execute(env, operation);
  const Napi::Value result = operation->status.ok() ? Napi::Value(env, operation->kind->result(env, *operation))
                                                    : Throw(env, operation->status.failure());
  Free(operation);
  return result;
}

Napi::Value Msync(const Napi::CallbackInfo& info) {
  return Run(info, kMsync);
}

Napi::Value Madvise(const Napi::CallbackInfo& info) {
  return Run(info, kMadvise);
}

Napi::Value MadviseInside(const Napi::CallbackInfo& info) {
  return Run(info, kMadvise, true);
}

Napi::Value Mlock(const Napi::CallbackInfo& info) {
  return Run(info, kMlock);
}

Napi::Value Munlock(const Napi::CallbackInfo& info) {
  return Run(info, kMunlock);
}

Napi::Value Mincore(const Napi::CallbackInfo& info) {
  return Run(info, kMincore);
}

Napi::Value BeginUnmap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {env, nullptr};
  if (IsLocked(handle)) return Throw(env, {EBUSY, "munmap", core::reason::kLocked});
  const core::guard::Slot* slot = handle->lease.slot();
  return Napi::Number::New(env, slot == nullptr ? 0 : core::guard::FaultCount(slot));
}

Napi::Value Unmap(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr) return env.Undefined();
  EndHolds(handle);
  DetachAll(handle);
  KeepFaults(handle);
  const core::Status written = region->CheckWritten();
  const core::Status ended = handle->lease.End();
  if (!ended.ok()) return Throw(env, ended.failure());
  return written.ok() ? env.Undefined() : Throw(env, written.failure());
}

Napi::Value UnmapInPool(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  EndHolds(handle);
  DetachAll(handle);
  if (region == nullptr || !region->BeginOperation()) return Throw(env, Unmapped());
  auto* operation = new Operation{.kind = &kNothing, .region = region};
  KeepFaults(handle);
  operation->status = region->CheckWritten();
  const core::Status ended = handle->lease.End();
  if (!ended.ok()) operation->status = ended;
  return Queue(env, operation);
}

}  // namespace binding
