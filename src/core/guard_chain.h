// Who else has handlers for our signals: those before us, those who came later, and other copies of this library.
#pragma once
#include <signal.h>
#include <ucontext.h>

namespace core::guard {

inline constexpr int kOurFlags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER | SA_RESTART;

// What one of the handlers of a chain tells another, in si_errno of the fault, which the kernel leaves 0.
enum class Note {
  kNone,
  kAsk,     // from another copy: is it yours? What comes back unchanged is not
  kHandOn,  // from another copy, which knows nobody: it is not ours, hand it on
  kBack,    // ours: somebody whom we handed it to has handed it back to us
};
Note NoteOf(const siginfo_t* info);

// guard_signals.cc
void OnSignal(int signal, siginfo_t* info, void* context);
// Everything that is not raised by the running instruction, so that it waits until a page is done.
sigset_t OurMask();

// The action was in our place; first: before we ever were.
void Remember(int signal, const struct sigaction& action, bool first);

// Whether this is another copy of the library, and asks us.
bool SiblingAsks(int signal, const struct sigaction& current);

// Does what would have happened without us.
void HandOn(int signal, siginfo_t* info, ucontext_t* context, Note note);

}  // namespace core::guard
