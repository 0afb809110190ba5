#include "binding/doorbells.h"

#include "binding/arguments.h"
#include "binding/errors.h"
#include "binding/ipc.h"
#include "core/doorbell.h"
#include "core/syscalls.h"

namespace binding {
namespace {

struct Opened {
  int fd;
};

void OpenedGone(napi_env /*env*/, void* data, void* /*hint*/) {
  const auto* opened = static_cast<Opened*>(data);
  core::sys::Close(opened->fd);
  delete opened;
}

}  // namespace

Napi::Value MakeDoorbell(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const core::Result<core::Doorbell> made = core::MakeDoorbell();
  if (!made.ok()) return Throw(env, made.failure());
  const core::Doorbell doorbell = made.value();
  Ipc::Of(env).doorbell = doorbell.write_fd;
  Napi::Array numbers = Napi::Array::New(env, 3);
  numbers.Set(0U, Napi::Number::New(env, doorbell.read_fd));
  numbers.Set(1U, Napi::Number::New(env, doorbell.write_fd));
  numbers.Set(2U, Napi::Number::New(env, static_cast<double>(doorbell.inode)));
  return numbers;
}

Napi::Value OpenDoorbell(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Arguments arguments(info);
  const int pid = arguments.IntAt(0);
  const int fd = arguments.IntAt(1);
  const uint64_t inode = arguments.BytesAt(2);
  if (arguments.Bad()) return {env, nullptr};
  const core::Result<int> opened = core::OpenDoorbell(pid, fd, inode);
  if (!opened.ok()) return env.Undefined();
  auto* doorbell = new Opened{opened.value()};
  napi_value external = nullptr;
  if (napi_create_external(env, doorbell, OpenedGone, nullptr, &external) != napi_ok)
    OpenedGone(env, doorbell, nullptr);
  return {env, external};
}

Napi::Value Knock(const Napi::CallbackInfo& info) {
  void* data = nullptr;
  const bool known = napi_get_value_external(info.Env(), info[0], &data) == napi_ok;
  return Napi::Boolean::New(info.Env(), known && core::Knock(static_cast<Opened*>(data)->fd));
}

}  // namespace binding
