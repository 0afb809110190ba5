// The kernel's limit on address-space areas, kept far enough away that nobody else in the process
// meets it: V8 dies without an error when it does.
#pragma once
#include <cstdint>

#include "core/result.h"

namespace core {

// Room for one area more? A failure is ENOMEM with reason::kMapLimit.
Status AdmitArea();

// munmap(2). The kernel merges neighbours that are alike, and what is taken out of their middle makes an area of each
// side: where there is no room for that, the memory goes now and the address is given back later.
Status GiveBack(char* base, uint64_t span, bool may_be_merged);

}  // namespace core
