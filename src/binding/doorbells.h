// The pipes of core/doorbell.h for JavaScript.
#pragma once
#include <napi.h>

namespace binding {

// makeDoorbell(): [descriptor to read from, which is the caller's; descriptor for others to open; inode]
Napi::Value MakeDoorbell(const Napi::CallbackInfo& info);
// openDoorbell(pid, fd, inode): an External, or undefined
Napi::Value OpenDoorbell(const Napi::CallbackInfo& info);
// knock(doorbell): whether somebody listens
Napi::Value Knock(const Napi::CallbackInfo& info);

}  // namespace binding
