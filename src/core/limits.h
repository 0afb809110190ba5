// The kernel's limit on address-space areas, kept far enough away that nobody else in the process
// meets it: V8 dies without an error when it does.
#pragma once
#include "core/result.h"

namespace core {

// Room for one area more? A failure is ENOMEM with reason::kMapLimit.
Status AdmitArea();

}  // namespace core
