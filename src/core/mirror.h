// Memory whose last bytes appear a second time right behind it, so that what runs over the end of a ring comes out at
// its start, and is in one piece for whoever looks.
#pragma once
#include "core/region.h"
#include "core/result.h"

namespace core {

// What Region::Map does for a request with `mirrored` bytes: mapped.length bytes, of which the last `mirrored` twice.
Result<char*> MapMirrored(const MapRequest& request, Range mapped);

// A ring in memory that has a descriptor: `head` bytes from `offset` on, then `capacity` bytes, twice. All of them
// whole pages.
Result<Region*> MapRing(Region* memory, uint64_t offset, uint64_t head, uint64_t capacity);

}  // namespace core
