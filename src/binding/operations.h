// System calls on a range of a mapping, at once or on the thread pool. While one is in flight the
// mapping stays: unmap() then takes effect for JavaScript at once, and for the kernel when it is done.
#pragma once
#include <napi.h>

namespace binding {

// (handle, offset, length, argument, inPool): undefined, or a promise of it.
Napi::Value Msync(const Napi::CallbackInfo& info);
Napi::Value Madvise(const Napi::CallbackInfo& info);
Napi::Value MadviseInside(const Napi::CallbackInfo& info);
Napi::Value Mlock(const Napi::CallbackInfo& info);
Napi::Value Munlock(const Napi::CallbackInfo& info);
// The same, of an ArrayBuffer with a bit for each page, the lowest first; argument is ignored.
Napi::Value Mincore(const Napi::CallbackInfo& info);

// (handle): how many faults there were; throws EBUSY while one of the mapping's words is held through it.
Napi::Value BeginUnmap(const Napi::CallbackInfo& info);
// (handle): nothing happens where it is unmapped already.
Napi::Value Unmap(const Napi::CallbackInfo& info);
// (handle): like Unmap, with the kernel's part on the thread pool.
Napi::Value UnmapInPool(const Napi::CallbackInfo& info);

}  // namespace binding
