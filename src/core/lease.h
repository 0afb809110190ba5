// Who is entitled to a Region, and until when.
#pragma once
#include "core/mutex.h"
#include "core/region.h"
#include "core/result.h"

namespace core {

// One holder's right to a Region: a Mapping object and the buffers that were made for it. While
// it is not ended and holder or buffers live, it is a user; ended, with buffers, it is a pin.
class Lease {
 public:
  explicit Lease(Region* region) : region_(region) {}  // takes over one user

  // nullptr once ended
  Region* region() const { return ended_ ? nullptr : region_; }

  // The guard's record, also of a mapping that was ended while buffers of it live.
  guard::Slot* slot();

  // unmap(): the bytes go, for this holder, whoever still has a buffer. Idempotent.
  Status End();
  // The holder itself is gone; its buffers may live on.
  void Drop();
  void AddBuffer();
  void DropBuffer();
  // A buffer that somebody elsewhere may hold for ever: the address stays taken, the bytes may go.
  void Abandon();

  // Whether Resize would be refused; nothing is done.
  Status Resizable();

  // mremap(2). Ends this lease; the result wants a lease of its own. Refused while others use the
  // Region. fd is what an empty mapping grows from.
  Result<Region*> Resize(uint64_t length, int fd);

 private:
  Mutex lock_;
  Region* region_;
  uint32_t buffers_ = 0;
  bool held_ = true;
  bool ended_ = false;
};

}  // namespace core
