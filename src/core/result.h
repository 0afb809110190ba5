// A value, or errno and the system call that failed. No exceptions anywhere in this addon.
#pragma once
#include <cstdint>

namespace core {

struct Failure {
  int error = 0;                  // an errno
  const char* syscall = nullptr;  // the call that failed, as strace writes it
  const char* reason = nullptr;   // one of the words below where errno alone does not tell
  uint64_t value = 0;             // what the reason speaks of: the file's size, the limit
};

// Words for Failure::reason; lib/errors.ts has the sentence for each.
namespace reason {
inline constexpr const char* kPastEnd = "past-end";        // value: the size of the file
inline constexpr const char* kNoSize = "no-size";          // a device: the length must be given
inline constexpr const char* kMapLimit = "map-limit";      // value: vm.max_map_count
inline constexpr const char* kStale = "stale-handle";      // something else is there now
inline constexpr const char* kNotSealed = "not-sealed";    // a peer could cut the memory away
inline constexpr const char* kUnmapped = "unmapped";       // use after unmap()
inline constexpr const char* kRange = "range";             // outside the mapping
inline constexpr const char* kAttached = "attached";       // others share it: it cannot be moved
inline constexpr const char* kBusy = "busy";               // an operation is in flight
inline constexpr const char* kSplit = "split";             // several areas, where one is needed
inline constexpr const char* kReplaced = "replaced";       // pages were lost: refresh first
inline constexpr const char* kLostWrites = "lost-writes";  // value: the offset of the first
inline constexpr const char* kNoFile = "no-file";          // there is no descriptor to look at
inline constexpr const char* kLocked = "locked";           // a lock in it is held here
inline constexpr const char* kNoExternal = "no-external-buffers";
inline constexpr const char* kBufferRefused = "buffer-refused";
}  // namespace reason

struct Unit {};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(value) {}              // NOLINT(google-explicit-constructor): a value is a result
  Result(Failure failure) : failure_(failure) {}  // NOLINT(google-explicit-constructor): so is a failure
  bool ok() const { return failure_.error == 0; }
  T value() const { return value_; }
  Failure failure() const { return failure_; }

 private:
  T value_{};
  Failure failure_{};
};

using Status = Result<Unit>;

}  // namespace core
