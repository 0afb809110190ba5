// Memory with a name: what shm_open(3) makes, which is a file in /dev/shm.
#pragma once
#include <cstdint>

#include "core/region.h"
#include "core/result.h"

namespace core {

struct NamedRequest {
  const char* path = nullptr;  // in /dev/shm
  uint64_t length = 0;
  int prot = 0;
  int flags = 0;
  bool exclusive = false;  // EEXIST where the name is there already
  bool guarded = true;
};

// Makes it, with mode 0600 and all of its memory set aside, or maps what is there and belongs to this user or root. A
// name appears when its memory is complete.
Result<Region*> MapNamed(const NamedRequest& request);

}  // namespace core
