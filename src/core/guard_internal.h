// Shared by the files of the guard. What the handler touches is here: atomics and plain words that do not change
// while a slot is live. The handler makes system calls only, takes no lock, allocates nothing and uses little stack.
#pragma once
#include <atomic>
#include <cstdint>

#include "core/guard.h"

namespace core::guard {

enum class State : uint32_t { kFree, kChanging, kLive };

struct Counter {
  std::atomic<uint64_t> pages;
  std::atomic<uint64_t> writes;
  std::atomic<uint64_t> first;  // one more than the offset; 0: none yet
  std::atomic<uint64_t> latest;
};

inline constexpr uint64_t kNowhere = UINT64_MAX;  // as a page

struct Slot {
  std::atomic<State> state;
  std::atomic<uint32_t> handlers;  // at work in this slot
  Mapping mapping;
  bool tomb;
  std::atomic<uint64_t*> pages;   // four bits a page, made at the first fault
  std::atomic<uint64_t> islands;  // areas that replacing made, at the most
  std::atomic<uint64_t> next;     // where a sequential reader would fault next
  std::atomic<uint64_t> window;   // how many pages it was given last
  std::atomic<uint8_t> area;      // of the last replacement: see Record
  std::atomic<uint32_t> repeats;  // accesses in a row that were only tried again
  std::atomic<uint64_t> repeated_at;
  Counter counters[kKinds];
  Slot* next_free;
};

struct Fault {
  uint64_t page = 0;
  bool segv = false;
  bool write = false;
  bool memory_error = false;
};

// guard.cc
// The next slot after `previous`, or the first, that seems to have the address. There may be several for a moment,
// while addresses change hands: only a live one whose mapping has it is right.
Slot* Find(uintptr_t address, const Slot* previous);
uint32_t* Word(const Slot* slot);

// guard_watch.cc
void StartWatch();  // a thread that blocks every signal: no handler of the program's runs on it
void NotifySoon();
// Areas that are kept to be spent in the handler when vm.max_map_count is reached there. False: there are none left.
void MakeReserve();
bool SpendReserve();

// guard_pages.cc. True: run the instruction again.
bool Fix(Slot* slot, const Fault& fault);
uint64_t PagesBytes(const Slot* slot);
// guard_widen.cc
void ForgetIslands(Slot* slot);

// guard_signals.cc
void InstallHandlers();
// Puts the handlers back where somebody replaced them; true when it had to.
bool CheckHandlers();

// System calls as the handler makes them: errors are negative, errno is left alone.
namespace raw {
char* MapAnonymous(char* at, uint64_t length, int prot);  // nullptr on failure; `at` is replaced
bool MapFile(char* at, uint64_t length, int prot, int flags, int fd, uint64_t offset);
bool Protect(char* at, uint64_t length, int prot);
bool Readable(const char* at);
bool Writable(char* at);
int64_t FileSize(int fd);  // -1: cannot be told
int64_t CopyFrom(char* into, const char* from, uint64_t length);
int64_t ReadFile(int fd, char* into, uint64_t length, uint64_t offset);
int64_t WriteFile(int fd, const char* from, uint64_t length, uint64_t offset);
bool MoveOnto(char* from, char* at, uint64_t length);
void Unmap(char* at, uint64_t length);
void Yield();
uint64_t Microseconds();  // of a clock that only goes forward
}  // namespace raw

}  // namespace core::guard
