#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "core/guard_internal.h"

#ifndef SI_KERNEL
#define SI_KERNEL 0x80
#endif

namespace core::guard {
namespace {

using Handler = void (*)(int, siginfo_t*, void*);

constexpr int kSignals[] = {SIGBUS, SIGSEGV};
constexpr int kFlags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;
// In si_errno of a fault, which the kernel leaves 0: one copy of this library asks another whether the fault is its
// own. What comes back unchanged was not.
constexpr int kAskingSibling = 0x6d6d6170;

struct Previous {
  // Whoever is not us: gets what is not ours. Read by handlers while the guard's thread writes: it fills the other one,
  // and then says that it is the one.
  struct sigaction actions[2] = {};
  std::atomic<int> current = 0;
  std::atomic<Handler> sibling = nullptr;  // another copy of this library that was in front
  int introductions = 0;                   // how often we went in front of it again, so that it knows us

  struct sigaction& action() { return actions[current.load()]; }
  void Remember(const struct sigaction& action) {
    const int next = 1 - current.load();
    actions[next] = action;
    current.store(next);
  }
};

Previous previous[2];
int restored = 0;  // how often in a row the handlers had to be put back

Previous& Of(int signal) {
  return previous[signal == SIGBUS ? 0 : 1];
}

void OnSignal(int signal, siginfo_t* info, void* context);

// Everything that is not raised by the running instruction, so that it waits until a page is done.
sigset_t OurMask() {
  sigset_t mask;
  std::memset(&mask, 0xff, sizeof mask);
  for (const int fatal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS})
    reinterpret_cast<uint64_t*>(&mask)[0] &= ~(uint64_t{1} << (fatal - 1));
  return mask;
}

// The kernel keeps 64 signals of a set, and gives back a mask without SIGKILL and SIGSTOP.
uint64_t SignalsOf(const sigset_t& set) {
  return reinterpret_cast<const uint64_t*>(&set)[0] & ~(uint64_t{1} << (SIGKILL - 1) | uint64_t{1} << (SIGSTOP - 1));
}

uint64_t OurSignature() {
  // two of the C library's own signals are never in a set it is given
  constexpr uint64_t kReserved = uint64_t{7} << 31;
  const sigset_t mask = OurMask();
  return SignalsOf(mask) & ~kReserved;
}

bool IsSibling(const struct sigaction& action) {
  constexpr uint64_t kReserved = uint64_t{7} << 31;
  constexpr int kCompared = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART | static_cast<int>(SA_RESETHAND);
  return (action.sa_flags & kCompared) == kFlags && action.sa_sigaction != OnSignal &&
         (SignalsOf(action.sa_mask) & ~kReserved) == OurSignature();
}

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

bool Ours(int signal, const siginfo_t* info, const ucontext_t* context) {
  const bool segv = signal == SIGSEGV;
  // sent by a process, or an address that is none
  if (info->si_code <= 0 || info->si_code == SI_KERNEL) return false;
  // protection keys and memory tags are somebody else's affair
  if (segv && info->si_code != SEGV_ACCERR && info->si_code != SEGV_MAPERR) return false;
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  for (Slot* slot = Find(address, nullptr); slot != nullptr; slot = Find(address, slot)) {
    bool ours = false;
    slot->handlers.fetch_add(1);
    const State state = slot->state.load();
    const uint64_t offset = address - reinterpret_cast<uintptr_t>(slot->mapping.base);
    if (state == State::kChanging) {
      raw::Yield();
      ours = true;
    } else if (state == State::kLive && offset < slot->mapping.span) {
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

// Default: the same instruction again, without a handler, so that the core has the true frame; a signal
// that was sent is sent again.
void Default(int signal, const siginfo_t* info) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  if (info->si_code <= 0) syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), signal);
}

void HandOn(int signal, siginfo_t* info, ucontext_t* context) {
  struct sigaction& before = Of(signal).action();
  const struct sigaction action = before;
  if (action.sa_handler == SIG_IGN && info->si_code <= 0) return;
  if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) return Default(signal, info);
  if ((action.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) before.sa_handler = SIG_DFL;
  // as if it had been called by the kernel; sigreturn puts the mask back
  uint64_t mask = SignalsOf(context->uc_sigmask) | SignalsOf(action.sa_mask);
  if ((action.sa_flags & SA_NODEFER) == 0) mask |= uint64_t{1} << (signal - 1);
  syscall(SYS_rt_sigprocmask, SIG_SETMASK, &mask, nullptr, sizeof mask);
  if ((action.sa_flags & SA_SIGINFO) != 0) {
    action.sa_sigaction(signal, info, context);
  } else {
    action.sa_handler(signal);
  }
}

void OnSignal(int signal, siginfo_t* info, void* context) {
  const int error = errno;
  auto* state = static_cast<ucontext_t*>(context);
  if (!Ours(signal, info, state)) {
    Previous& before = Of(signal);
    const Handler sibling = before.sibling.load();
    const bool asked = info->si_errno == kAskingSibling;
    bool done = false;
    if (sibling != nullptr && !asked) {
      info->si_errno = kAskingSibling;
      sibling(signal, info, context);
      done = info->si_errno != kAskingSibling;
      info->si_errno = 0;
    }
    // asked by another copy, and with nobody behind us but copies: it knows better whom to give it to
    const bool knows_nobody = asked && sibling != nullptr && before.action().sa_handler == SIG_DFL;
    if (!done && !knows_nobody) {
      info->si_errno = 0;
      HandOn(signal, info, state);
    }
  } else {
    info->si_errno = 0;
  }
  errno = error;
}

void Remember(int signal, const struct sigaction& action) {
  if (IsSibling(action)) {
    Of(signal).sibling.store(action.sa_sigaction);
  } else if (action.sa_sigaction != OnSignal) {
    Of(signal).Remember(action);
  }
}

void Install(int signal) {
  struct sigaction ours{};
  ours.sa_sigaction = OnSignal;
  ours.sa_flags = kFlags;
  ours.sa_mask = OurMask();
  struct sigaction current{};
  sigaction(signal, nullptr, &current);
  // before ours is there, which may need it at once; and after, for whoever came in between
  Remember(signal, current);
  struct sigaction replaced{};
  sigaction(signal, &ours, &replaced);
  if (replaced.sa_sigaction != current.sa_sigaction) Remember(signal, replaced);
}

}  // namespace

void InstallHandlers() {
  for (const int signal : kSignals) Install(signal);
}

bool CheckHandlers() {
  bool changed = false;
  for (const int signal : kSignals) {
    struct sigaction current{};
    sigaction(signal, nullptr, &current);
    if (current.sa_sigaction == OnSignal) continue;
    // a copy that has seen us in front asks us; it may have seen somebody else there who came between
    constexpr int kIntroductions = 2;
    Previous& before = Of(signal);
    const bool known = IsSibling(current) && before.sibling.load() == current.sa_sigaction;
    if (known && before.introductions++ >= kIntroductions) continue;
    // somebody who keeps taking them back is not fought for ever
    constexpr int kPatience = 1000;
    if (restored++ > kPatience) continue;
    Install(signal);
    changed = true;
  }
  return changed;
}

}  // namespace core::guard
