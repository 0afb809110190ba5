// Copies that answer EFAULT, or a short count, where a load or store would fault.
#pragma once
#include <cstddef>

#include "core/result.h"

namespace core {

Result<size_t> CopyFrom(void* into, const void* source, size_t length);
Result<size_t> CopyTo(void* target, const void* from, size_t length);

}  // namespace core
