#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/guard_chain.h"
#include "core/guard_internal.h"

#ifndef SI_KERNEL
#define SI_KERNEL 0x80
#endif

namespace core::guard {
namespace {

constexpr int kSignals[] = {SIGBUS, SIGSEGV};
int restored = 0;  // how often in a row the handlers had to be put back

bool WasWrite(const siginfo_t* info, const ucontext_t* context, bool segv) {
#if defined(__x86_64__)
  (void)info;
  (void)segv;
  return (context->uc_mcontext.gregs[REG_ERR] & 2) != 0;
#elif defined(__aarch64__)
  // the record with the syndrome register lies somewhere in the reserved space
  const auto* record = reinterpret_cast<const _aarch64_ctx*>(context->uc_mcontext.__reserved);
  for (int i = 0; i < 16 && record->magic != 0 && record->size != 0; ++i) {
    if (record->magic == ESR_MAGIC) return (reinterpret_cast<const esr_context*>(record)->esr & (1U << 6)) != 0;
    record = reinterpret_cast<const _aarch64_ctx*>(reinterpret_cast<const char*>(record) + record->size);
  }
  (void)info;
  return segv;  // a page of ours can always be read
#else
  (void)info;
  (void)context;
  return segv;
#endif
}

// At work in the slot from here on, if it is live. Who changes it waits until nobody is: it would wait for ever if
// handlers that find it changing were counted, fault after fault.
State Enter(Slot* slot) {
  State state = slot->state.load();
  if (state != State::kLive) return state;
  slot->handlers.fetch_add(1);
  state = slot->state.load();
  if (state != State::kLive) slot->handlers.fetch_sub(1);
  return state;
}

bool Ours(int signal, const siginfo_t* info, const ucontext_t* context) {
  const bool segv = signal == SIGSEGV;
  // sent by a process, or an address that is none
  if (info->si_code <= 0 || info->si_code == SI_KERNEL) return false;
  // protection keys and memory tags are somebody else's affair
  if (segv && info->si_code != SEGV_ACCERR && info->si_code != SEGV_MAPERR) return false;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Slot* slot = Find(address, nullptr); slot != nullptr; slot = Find(address, slot)) {
    const State state = Enter(slot);
    if (state == State::kChanging) {
      raw::Yield();
      return true;
    }
    if (state != State::kLive) continue;
    bool ours = false;
    const uint64_t offset = address - reinterpret_cast<uintptr_t>(slot->mapping.base);
    if (offset < slot->mapping.span) {
      Fault fault;
      fault.page = offset / slot->mapping.page_size;
      fault.segv = segv;
      fault.write = WasWrite(info, context, segv);
      fault.memory_error = !segv && (info->si_code == BUS_MCEERR_AR || info->si_code == BUS_MCEERR_AO);
      ours = Fix(slot, fault);
    }
    slot->handlers.fetch_sub(1);
    if (ours) return true;
  }
  return false;
}

void Install(int signal, bool first) {
  struct sigaction ours{};
  ours.sa_sigaction = OnSignal;
  ours.sa_flags = kOurFlags;
  ours.sa_mask = OurMask();
  struct sigaction current{};
  sigaction(signal, nullptr, &current);
  // before ours is there, which may need it at once; and after, for whoever came in between
  Remember(signal, current, first);
  struct sigaction replaced{};
  sigaction(signal, &ours, &replaced);
  if (replaced.sa_sigaction != current.sa_sigaction) Remember(signal, replaced, false);
}

}  // namespace

sigset_t OurMask() {
  sigset_t mask;
  std::memset(&mask, 0xff, sizeof mask);
  for (const int fatal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS})
    reinterpret_cast<uint64_t*>(&mask)[0] &= ~(uint64_t{1} << (fatal - 1));
  return mask;
}

void OnSignal(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  auto* state = static_cast<ucontext_t*>(context);
  const Note note = NoteOf(info);
  if (note == Note::kHandOn || !Ours(signal, info, state)) {
    HandOn(signal, info, state, note);
  } else {
    info->si_errno = 0;
  }
  errno = error;
}

void InstallHandlers() {
  for (const int signal : kSignals) Install(signal, true);
}

bool CheckHandlers() {
  bool changed = false;
  for (const int signal : kSignals) {
    struct sigaction current{};
    sigaction(signal, nullptr, &current);
    if (current.sa_sigaction == OnSignal) continue;
    if (SiblingAsks(signal, current)) continue;
    // somebody who keeps taking them back is not fought for ever
    constexpr int kPatience = 1000;
    if (restored++ > kPatience) continue;
    Install(signal, false);
    changed = true;
  }
  return changed;
}

}  // namespace core::guard
