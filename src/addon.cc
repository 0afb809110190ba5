// The export table. lib/native.ts has the same names, with their types.
#include <napi.h>

#include "binding/buffers.h"
#include "binding/environment.h"
#include "binding/facts.h"
#include "binding/faults.h"
#include "binding/ipc.h"
#include "binding/mapping.h"
#include "binding/operations.h"
#include "binding/refresh.h"
#include "core/region.h"

namespace {

// initialize(makeError, ArrayBuffer.prototype.transfer | undefined, storesDieOnce), once in each environment
Napi::Value Initialize(const Napi::CallbackInfo& info) {
  binding::Environment& environment = binding::Environment::Of(info.Env());
  napi_create_reference(info.Env(), info[0], 1, &environment.make_error);
  if (info[1].IsFunction()) napi_create_reference(info.Env(), info[1], 1, &environment.transfer);
  environment.stores_die_once = info[2].ToBoolean();
  return info.Env().Undefined();
}

Napi::Object Exports(Napi::Env env, Napi::Object exports) {
  binding::Environment::Create(env);
  exports.Set("pageSize", Napi::Number::New(env, static_cast<double>(core::PageSize())));
  exports.Set("sourceHash", Napi::String::New(env, SOURCE_HASH));
  exports.Set("hasSharedBuffers", Napi::Boolean::New(env, binding::HasSharedBuffers()));
  exports.Set("initialize", Napi::Function::New<Initialize>(env, "initialize"));
  exports.Set("mapFile", Napi::Function::New<binding::MapFile>(env, "mapFile"));
  exports.Set("mapAnonymous", Napi::Function::New<binding::MapAnonymous>(env, "mapAnonymous"));
  exports.Set("mapMemfd", Napi::Function::New<binding::MapMemfd>(env, "mapMemfd"));
  exports.Set("mapNamed", Napi::Function::New<binding::MapNamed>(env, "mapNamed"));
  exports.Set("attachMemfd", Napi::Function::New<binding::AttachMemfd>(env, "attachMemfd"));
  exports.Set("growFile", Napi::Function::New<binding::GrowFile>(env, "growFile"));
  exports.Set("knowsAdvice", Napi::Function::New<binding::KnowsAdvice>(env, "knowsAdvice"));
  exports.Set("identify", Napi::Function::New<binding::Identify>(env, "identify"));
  exports.Set("label", Napi::Function::New<binding::Label>(env, "label"));
  exports.Set("join", Napi::Function::New<binding::Join>(env, "join"));
  exports.Set("length", Napi::Function::New<binding::Length>(env, "length"));
  exports.Set("facts", Napi::Function::New<binding::Facts>(env, "facts"));
  exports.Set("list", Napi::Function::New<binding::List>(env, "list"));
  exports.Set("buffer", Napi::Function::New<binding::Buffer>(env, "buffer"));
  exports.Set("sharedBuffer", Napi::Function::New<binding::SharedBuffer>(env, "sharedBuffer"));
  exports.Set("copyOut", Napi::Function::New<binding::CopyOut>(env, "copyOut"));
  exports.Set("copyIn", Napi::Function::New<binding::CopyIn>(env, "copyIn"));
  exports.Set("protect", Napi::Function::New<binding::Protect>(env, "protect"));
  exports.Set("checkResizable", Napi::Function::New<binding::CheckResizable>(env, "checkResizable"));
  exports.Set("resize", Napi::Function::New<binding::Resize>(env, "resize"));
  exports.Set("msync", Napi::Function::New<binding::Msync>(env, "msync"));
  exports.Set("madvise", Napi::Function::New<binding::Madvise>(env, "madvise"));
  exports.Set("madviseInside", Napi::Function::New<binding::MadviseInside>(env, "madviseInside"));
  exports.Set("mlock", Napi::Function::New<binding::Mlock>(env, "mlock"));
  exports.Set("munlock", Napi::Function::New<binding::Munlock>(env, "munlock"));
  exports.Set("mincore", Napi::Function::New<binding::Mincore>(env, "mincore"));
  exports.Set("listenForFaults", Napi::Function::New<binding::ListenForFaults>(env, "listenForFaults"));
  exports.Set("faults", Napi::Function::New<binding::Faults>(env, "faults"));
  exports.Set("watchFaults", Napi::Function::New<binding::WatchFaults>(env, "watchFaults"));
  exports.Set("faultWords", Napi::Function::New<binding::FaultWords>(env, "faultWords"));
  exports.Set("beginUnmap", Napi::Function::New<binding::BeginUnmap>(env, "beginUnmap"));
  exports.Set("faultWord", Napi::Function::New<binding::FaultWord>(env, "faultWord"));
  exports.Set("verify", Napi::Function::New<binding::Verify>(env, "verify"));
  exports.Set("refresh", Napi::Function::New<binding::Refresh>(env, "refresh"));
  exports.Set("unmap", Napi::Function::New<binding::Unmap>(env, "unmap"));
  exports.Set("unmapInPool", Napi::Function::New<binding::UnmapInPool>(env, "unmapInPool"));
  exports.Set("ipc", binding::IpcExports(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(mmap_native, Exports)
