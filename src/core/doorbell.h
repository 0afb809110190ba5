// A pipe that wakes an event loop: whoever changes what a process waits for writes a byte into it, which takes one
// wake-up less than a helper thread. Its write end is opened through /proc/PID/fd, so that no descriptor has to be
// passed.
#pragma once
#include <cstdint>

#include "core/result.h"

namespace core {

struct Doorbell {
  int read_fd = -1;
  int write_fd = -1;
  uint64_t inode = 0;
};

Result<Doorbell> MakeDoorbell();

// The write end of a doorbell of another process, or of this one. All three numbers may come from a peer that means no
// good: nothing is opened but a pipe with this inode and of the size that doorbells have.
Result<int> OpenDoorbell(int pid, int fd, uint64_t inode);

// False when nobody listens any more.
bool Knock(int fd);

}  // namespace core
