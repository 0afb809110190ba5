#include "core/guard_chain.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>

namespace core::guard {
namespace {

using Handler = void (*)(int, siginfo_t*, void*);

constexpr int kAsking = 0x6d6d6170;
constexpr int kHandingOn = 0x6d6d6171;
// The lowest byte of our own note: how many we have handed the fault to already.
constexpr int kLevels = 0xff;

int OurNote() {
  return static_cast<int>(reinterpret_cast<uintptr_t>(OnSignal) >> 4 & 0xfffff) << 8;
}

// Who was in our place. Whoever came later may call us as its predecessor, and then it is the turn of the one before.
struct Link {
  struct sigaction action;
  bool first;
  Link* older;
};

struct Chain {
  std::atomic<Link*> newest = nullptr;     // never given back: a handler may be on its way through
  std::atomic<Handler> sibling = nullptr;  // another copy of this library that was in front
  int introductions = 0;                   // how often we went in front of it again, so that it knows us
};

Chain chains[2];

Chain& Of(int signal) {
  return chains[signal == SIGBUS ? 0 : 1];
}

// The kernel keeps 64 signals of a set, and gives back a mask without SIGKILL and SIGSTOP.
uint64_t SignalsOf(const sigset_t& set) {
  return reinterpret_cast<const uint64_t*>(&set)[0] & ~(uint64_t{1} << (SIGKILL - 1) | uint64_t{1} << (SIGSTOP - 1));
}

bool IsSibling(const struct sigaction& action) {
  // the C library's own signals are never in a set it is given
  constexpr uint64_t kReserved = uint64_t{7} << 31;
  constexpr int kCompared = kOurFlags | static_cast<int>(SA_RESETHAND);
  return (action.sa_flags & kCompared) == kOurFlags && action.sa_sigaction != OnSignal &&
         (SignalsOf(action.sa_mask) & ~kReserved) == (SignalsOf(OurMask()) & ~kReserved);
}

// Default: the same instruction again, without a handler, so that the core has the true frame; a signal that was sent
// is sent again.
void Default(int signal, const siginfo_t* info) {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  sigaction(signal, &action, nullptr);
  if (info->si_code <= 0) syscall(SYS_tgkill, syscall(SYS_getpid), syscall(SYS_gettid), signal);
}

void Call(int signal, siginfo_t* info, ucontext_t* context, Link* link) {
  const struct sigaction action = link->action;
  if (action.sa_handler == SIG_IGN && info->si_code <= 0) return;
  if (action.sa_handler == SIG_DFL || action.sa_handler == SIG_IGN) return Default(signal, info);
  if ((action.sa_flags & static_cast<int>(SA_RESETHAND)) != 0) link->action.sa_handler = SIG_DFL;
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

bool SiblingHas(int signal, siginfo_t* info, ucontext_t* context) {
  const Handler sibling = Of(signal).sibling.load();
  if (sibling == nullptr) return false;
  const int before = info->si_errno;
  info->si_errno = kAsking;
  sibling(signal, info, context);
  const bool has = info->si_errno != kAsking;
  info->si_errno = has ? 0 : before;
  return has;
}

}  // namespace

Note NoteOf(const siginfo_t* info) {
  if (info->si_errno == kAsking) return Note::kAsk;
  if (info->si_errno == kHandingOn) return Note::kHandOn;
  return (info->si_errno & ~kLevels) == OurNote() ? Note::kBack : Note::kNone;
}

void Remember(int signal, const struct sigaction& action, bool first) {
  Chain& chain = Of(signal);
  if (action.sa_sigaction == OnSignal) return;
  if (IsSibling(action)) return chain.sibling.store(action.sa_sigaction);
  Link* newest = chain.newest.load();
  const bool again = newest != nullptr && newest->action.sa_sigaction == action.sa_sigaction;
  if (!again) chain.newest.store(new Link{action, first, newest});
}

bool SiblingAsks(int signal, const struct sigaction& current) {
  // it knows us if it has seen us in front; it may have seen somebody else there who came between
  constexpr int kIntroductions = 2;
  Chain& chain = Of(signal);
  return IsSibling(current) && chain.sibling.load() == current.sa_sigaction && chain.introductions++ >= kIntroductions;
}

void HandOn(int signal, siginfo_t* info, ucontext_t* context, Note note) {
  if (note == Note::kAsk) return;
  if (note == Note::kNone && SiblingHas(signal, info, context)) return;
  const int level = note == Note::kBack ? info->si_errno & kLevels : 0;
  Link* link = Of(signal).newest.load();
  for (int i = 0; i < level && link != nullptr; ++i) link = link->older;
  const Handler sibling = Of(signal).sibling.load();
  if (link == nullptr && sibling != nullptr && note != Note::kHandOn) {
    info->si_errno = kHandingOn;
    return sibling(signal, info, context);
  }
  if (note == Note::kHandOn) info->si_errno = 0;
  if (link == nullptr) return Default(signal, info);
  // who was here before us does not know us
  if (!link->first) info->si_errno = OurNote() | ((level + 1) & kLevels);
  Call(signal, info, context, link);
}

}  // namespace core::guard
