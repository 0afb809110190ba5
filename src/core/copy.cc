#include "core/copy.h"

#include <algorithm>
#include <cerrno>

#include "core/syscalls.h"

namespace core {
namespace {

// Some sandboxes forbid process_vm_readv(2), even on oneself.
bool Forbidden(const Result<size_t>& copied) {
  return !copied.ok() && (copied.failure().error == ENOSYS || copied.failure().error == EPERM);
}

// The kernel reads and writes for us: into a pipe and out again, as much at a time as an empty pipe always takes.
Result<size_t> CopyThroughPipe(void* into, const void* from, size_t length) {
  constexpr size_t kPipe = 4096;
  int ends[2];
  if (const Status made = sys::Pipe(ends); !made.ok()) return made.failure();
  size_t done = 0;
  Result<size_t> last = size_t{0};
  while (done < length) {
    last = sys::Write(ends[1], static_cast<const char*>(from) + done, std::min(length - done, kPipe));
    if (last.ok()) last = sys::Read(ends[0], static_cast<char*>(into) + done, last.value());
    if (!last.ok() || last.value() == 0) break;
    done += last.value();
  }
  sys::Close(ends[0]);
  sys::Close(ends[1]);
  return done > 0 || last.ok() ? Result<size_t>(done) : last;
}

}  // namespace

Result<size_t> CopyFrom(void* into, const void* source, size_t length) {
  const Result<size_t> copied = sys::ProcessVmReadv(into, source, length);
  return Forbidden(copied) ? CopyThroughPipe(into, source, length) : copied;
}

Result<size_t> CopyTo(void* target, const void* from, size_t length) {
  const Result<size_t> copied = sys::ProcessVmWritev(target, from, length);
  return Forbidden(copied) ? CopyThroughPipe(target, from, length) : copied;
}

}  // namespace core
