// The fault guard: a load or store in a guarded mapping never ends the process. docs/safety.md says what
// is promised; docs/internals.md how the handler keeps it between threads.
//
// guard.cc keeps the registry, guard_signals.cc owns the signal handler and hands on what is not ours,
// guard_pages.cc decides what becomes of a page, guard_widen.cc of how many together; guard_restore.cc goes over the
// pages outside of the handler, and guard_watch.cc has a thread that tells of faults.
#pragma once
#include <cstdint>

#include "core/result.h"

namespace core::guard {

enum class Kind : uint8_t { kTruncated, kNoSpace, kIo, kReadOnly, kLostWrite, kUnmapped };
inline constexpr int kKinds = 6;

// What is to be guarded. All addresses and lengths in whole pages.
struct Mapping {
  char* base = nullptr;
  uint64_t span = 0;
  uint64_t page_size = 0;
  uint64_t lead = 0;    // of the first byte in the first page
  uint64_t length = 0;  // bytes from there on
  uint64_t offset = 0;  // of the first page in the file
  int prot = 0;
  int flags = 0;
  int fd = -1;  // the file, to look at its size and to map it again; the guard works without
};

// Counts of one kind. Offsets are in bytes of the mapping, of the page's first byte.
struct Count {
  uint64_t pages = 0;
  uint64_t writes = 0;  // of the pages, how many were written to
  uint64_t first = 0;
  uint64_t latest = 0;
};

struct Slot;

// False when MMAP_NATIVE_GUARD=off is in the environment: then nothing is ever installed.
bool Enabled();

// nullptr where the guard is off or all slots are taken.
Slot* Register(const Mapping& mapping);

// The mapping is about to go, or to move: no handler touches its pages after this returns.
void Unregister(Slot* slot);

// The pages give way to PROT_NONE that is still guarded: each late access finds zeros and is counted.
// On failure everything is as it was.
Status Entomb(Slot* slot);

// Handlers wait from Suspend to Resume: the pages are about to move, or have not after all.
void Suspend(Slot* slot);
void Resume(Slot* slot, bool in_place);  // not in place: nothing of the slot's is there any more

// mprotect(2) on the pages that are still the file's, and from now on what a write means.
Status Protect(Slot* slot, const char* address, uint64_t length, int prot);

// Has any page been replaced?
bool HasReplaced(const Slot* slot);

// Pages in [address, address + length) with bytes that were written and are in no file, though they were meant
// to be: how many, and where the first lies.
struct Lost {
  uint64_t pages = 0;
  uint64_t first = 0;
};
Lost LostWrites(Slot* slot, const char* address, uint64_t length);

Count CountOf(const Slot* slot, Kind kind);

// Gives replaced pages back to the file where it covers them again. keep(context, offset, bytes, length) is handed each
// page of lost writes before it is given up; with write_back it is written to the file instead. Stops at the first
// failure.
struct RefreshRequest {
  bool write_back = false;
  uint64_t file_size = 0;
  void (*keep)(void* context, uint64_t offset, const char* bytes, uint64_t length) = nullptr;
  void* context = nullptr;
};
Result<uint64_t> Refresh(Slot* slot, const RefreshRequest& request);

// One word a slot, counting faults: right as soon as the access has returned. JavaScript reads them in place.
uint32_t* Words(uint64_t* length);
uint64_t WordIndex(const Slot* slot);
uint32_t FaultCount(const Slot* slot);

// Calls each subscriber on the guard's own thread soon after a fault, once for many.
void Subscribe(void (*notify)(void* context), void* context);
void Unsubscribe(void* context);

}  // namespace core::guard
