#include "binding/mapping.h"

#include "binding/arguments.h"
#include "binding/buffers.h"
#include "binding/errors.h"
#include "binding/holds.h"
#include "core/backing.h"
#include "core/copy.h"
#include "core/mirror.h"
#include "core/named.h"
#include "core/syscalls.h"

namespace binding {
namespace {

Napi::Value Opened(Napi::Env env, const core::Result<core::Region*>& region, napi_value path = nullptr) {
  return region.ok() ? NewHandle(env, region.value()) : Throw(env, region.failure(), path);
}

struct Copy {
  Handle* handle;
  char* mapped;  // null: an exception is pending
  char* memory;
  size_t length;
};

// (handle, offset, memory): the whole of memory, which must fit
Copy ReadCopy(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Copy copy{};
  copy.handle = arguments.HandleAt(0);
  const uint64_t offset = arguments.BytesAt(1);
  copy.length = arguments.MemoryAt(2, &copy.memory).length;
  if (arguments.Bad()) return copy;
  const core::Region* region = copy.handle->lease.region();
  if (region == nullptr) return Throw(info.Env(), Unmapped()), copy;
  const core::Result<core::Range> range = region->Check(offset, copy.length);
  if (!range.ok()) return Throw(info.Env(), range.failure()), copy;
  copy.mapped = region->data() + offset;
  return copy;
}

Napi::Value Copied(Napi::Env env, const core::Result<size_t>& count) {
  if (!count.ok()) return Throw(env, count.failure());
  return Napi::Number::New(env, static_cast<double>(count.value()));
}

}  // namespace

Napi::Value MapFile(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  core::FileRequest request;
  if (info[0].IsNumber()) {
    request.fd = arguments.IntAt(0);
  } else {
    request.path = arguments.PathAt(0);
  }
  request.prot = arguments.IntAt(1);
  request.flags = arguments.IntAt(2);
  request.offset = arguments.BytesAt(3);
  if (!info[4].IsUndefined()) request.length = arguments.BytesAt(4);
  request.write = arguments.BoolAt(5);
  request.grow = arguments.BoolAt(6);
  request.past_end = arguments.BoolAt(7);
  request.guarded = arguments.BoolAt(8);
  if (!info[9].IsUndefined()) {
    request.device = arguments.BigAt(9);
    request.inode = arguments.BigAt(10);
  }
  if (arguments.Bad()) return {info.Env(), nullptr};
  return Opened(info.Env(), core::MapFile(request), info[0]);
}

Napi::Value MapAnonymous(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const core::MapRequest request{.length = arguments.BytesAt(2),
                                 .prot = arguments.IntAt(0),
                                 .flags = arguments.IntAt(1),
                                 .page_size = arguments.BytesAt(3),
                                 .guarded = arguments.BoolAt(4)};
  if (arguments.Bad()) return {info.Env(), nullptr};
  return Opened(info.Env(), core::Region::Map(request));
}

Napi::Value MapMemfd(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const core::MemfdRequest request{.name = arguments.PathAt(0),
                                   .length = arguments.BytesAt(3),
                                   .prot = arguments.IntAt(1),
                                   .flags = arguments.IntAt(2),
                                   .huge_page_size = arguments.BytesAt(4),
                                   .peers_readonly = arguments.BoolAt(5),
                                   .guarded = arguments.BoolAt(6)};
  if (arguments.Bad()) return {info.Env(), nullptr};
  return Opened(info.Env(), core::MapMemfd(request));
}

Napi::Value MapNamed(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const core::NamedRequest request{.path = arguments.PathAt(0),
                                   .length = arguments.BytesAt(3),
                                   .prot = arguments.IntAt(1),
                                   .flags = arguments.IntAt(2),
                                   .exclusive = arguments.BoolAt(4),
                                   .guarded = arguments.BoolAt(5)};
  if (arguments.Bad()) return {info.Env(), nullptr};
  return Opened(info.Env(), core::MapNamed(request), info[0]);
}

Napi::Value AttachMemfd(const Napi::CallbackInfo& info) {
  Arguments path(info);
  Arguments arguments(info);
  core::AttachRequest request{
      .name = arguments.PathAt(1), .length = arguments.BytesAt(2), .write = arguments.BoolAt(3)};
  if (info[0].IsNumber()) {
    request.fd = path.IntAt(0);
  } else {
    request.path = path.PathAt(0);
  }
  if (path.Bad() || arguments.Bad()) return {info.Env(), nullptr};
  return Opened(info.Env(), core::AttachMemfd(request), info[0]);
}

// mapRing(handle, offset, head, capacity)
Napi::Value MapRing(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  const uint64_t offset = arguments.BytesAt(1);
  const uint64_t head = arguments.BytesAt(2);
  const uint64_t capacity = arguments.BytesAt(3);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* memory = handle->lease.region();
  if (memory == nullptr) return Throw(env, Unmapped());
  const core::Result<core::Region*> ring = core::MapRing(memory, offset, head, capacity);
  return ring.ok() ? NewHandle(env, ring.value()) : Throw(env, ring.failure());
}

Napi::Value GrowFile(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  const int fd = arguments.IntAt(0);
  const core::Range range{arguments.BytesAt(1), arguments.BytesAt(2)};
  if (arguments.Bad()) return {env, nullptr};
  const core::Result<bool> grown = core::GrowFile(fd, range);
  return grown.ok() ? Napi::Boolean::New(env, grown.value()) : Throw(env, grown.failure());
}

Napi::Value KnowsAdvice(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const int advice = arguments.IntAt(0);
  if (arguments.Bad()) return {info.Env(), nullptr};
  // of no bytes at all the kernel still looks at the advice
  return Napi::Boolean::New(info.Env(), core::sys::Madvise(nullptr, 0, advice).ok());
}

Napi::Value Identify(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  const char* id = arguments.PathAt(1);
  if (arguments.Bad()) return {info.Env(), nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr) return Throw(info.Env(), Unmapped());
  return Napi::String::New(info.Env(), region->Identify(id));
}

Napi::Value Label(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  const char* label = arguments.PathAt(1);
  if (arguments.Bad()) return {info.Env(), nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr) return Throw(info.Env(), Unmapped());
  region->Label(label);
  return info.Env().Undefined();
}

Napi::Value Join(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  const char* id = arguments.PathAt(0);
  if (arguments.Bad()) return {info.Env(), nullptr};
  core::Region* region = core::Region::Join(id);
  return region == nullptr ? info.Env().Undefined() : NewHandle(info.Env(), region);
}

Napi::Value Protect(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  const Handle* handle = arguments.HandleAt(0);
  const uint64_t offset = arguments.BytesAt(1);
  const uint64_t length = arguments.BytesAt(2);
  const int prot = arguments.IntAt(3);
  if (arguments.Bad()) return {env, nullptr};
  core::Region* region = handle->lease.region();
  if (region == nullptr) return Throw(env, Unmapped());
  const core::Status done = region->Protect(offset, length, prot);
  return done.ok() ? env.Undefined() : Throw(env, done.failure());
}

Napi::Value CheckResizable(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  if (arguments.Bad()) return {info.Env(), nullptr};
  const core::Status resizable = handle->lease.Resizable();
  return resizable.ok() ? info.Env().Undefined() : Throw(info.Env(), resizable.failure());
}

Napi::Value Resize(const Napi::CallbackInfo& info) {
  Arguments arguments(info);
  Handle* handle = arguments.HandleAt(0);
  const uint64_t length = arguments.BytesAt(1);
  const int fd = arguments.IntAt(2);
  if (arguments.Bad()) return {info.Env(), nullptr};
  if (handle->lease.region() == nullptr) return Throw(info.Env(), Unmapped());
  if (IsLocked(handle)) return Throw(info.Env(), {EBUSY, "mremap", core::reason::kLocked});
  const core::Result<core::Region*> region = handle->lease.Resize(length, fd);
  // only now: a refusal takes nothing away
  if (region.ok()) EndHolds(handle);
  if (region.ok()) DetachAll(handle);
  return Opened(info.Env(), region);
}

Napi::Value CopyOut(const Napi::CallbackInfo& info) {
  const Copy copy = ReadCopy(info);
  if (copy.mapped == nullptr) return {info.Env(), nullptr};
  return Copied(info.Env(), core::CopyFrom(copy.memory, copy.mapped, copy.length));
}

Napi::Value CopyIn(const Napi::CallbackInfo& info) {
  const Copy copy = ReadCopy(info);
  if (copy.mapped == nullptr) return {info.Env(), nullptr};
  return Copied(info.Env(), core::CopyTo(copy.mapped, copy.memory, copy.length));
}

}  // namespace binding
