// How many pages a fault replaces, so that neither vm.max_map_count nor a sequential reader's time runs out.
#include "core/guard_states.h"

namespace core::guard {
namespace {

constexpr uint64_t kLargestWindow = 512;  // pages
// An island costs up to two areas of vm.max_map_count. From here on neighbours are replaced too, and
// the areas merge: in pieces of which a mapping has no more than islands again; then in whole gaps.
constexpr uint64_t kIslandsOfMapping = 256;
constexpr uint64_t kIslandsOfProcess = 2048;

std::atomic<uint64_t> all_islands;

// How many pages together; 1 as long as there are few islands.
uint64_t Piece(const Slot* slot) {
  if (all_islands.load() >= kIslandsOfProcess) return UINT64_MAX;
  if (slot->islands.load() < kIslandsOfMapping) return 1;
  return std::max(kLargestWindow, PageCount(slot) / kIslandsOfMapping);
}

// On to the right, then to the left as far as `floor`, while take(page) says so.
template <class Take>
Run Widen(const Slot* slot, Run run, uint64_t floor, uint64_t most, Take take) {
  while (run.count < most && run.first + run.count < PageCount(slot) && take(run.first + run.count)) ++run.count;
  while (run.count < most && run.first > floor && take(run.first - 1)) {
    --run.first;
    ++run.count;
  }
  return run;
}

uint64_t EntryWas(uint64_t* pages, uint64_t page, Page state) {
  return (Entry(pages, page) & kFlipped) | static_cast<uint64_t>(state);
}

// Revokes what was added; where that fails, it is let go again.
Run Revoked(const Slot* slot, uint64_t* pages, Run core, Run run, Page state) {
  if (run.count == core.count || Revoke(slot, run)) return run;
  Put(pages, {run.first, core.first - run.first}, state);
  Put(pages, {core.first + core.count, run.first + run.count - core.first - core.count}, state);
  return core;
}

Run WidenTo(const Slot* slot, uint64_t* pages, Run core, Page state, uint64_t floor, uint64_t most) {
  const uint64_t like = EntryWas(pages, core.first, state);
  const Run run = Widen(slot, core, floor, most, [&](uint64_t page) { return Take(pages, page, like); });
  return Revoked(slot, pages, core, run, state);
}

}  // namespace

Run WidenTogether(Slot* slot, uint64_t* pages, Run run, Page state, uint64_t floor, uint64_t most) {
  return WidenTo(slot, pages, run, state, floor, std::min(Piece(slot), most));
}

Run WidenAhead(Slot* slot, uint64_t* pages, Run run, uint64_t floor) {
  if (const uint64_t piece = Piece(slot); piece > 1) return WidenTo(slot, pages, run, Page::kLive, floor, piece);
  const bool sequential = slot->next.load() == run.first;
  const uint64_t window = sequential ? std::min(std::max<uint64_t>(slot->window.load(), 1) * 2, kLargestWindow) : 1;
  slot->window.store(window);
  return WidenTo(slot, pages, run, Page::kLive, run.first, window);
}

Run WidenUnreadable(Slot* slot, uint64_t* pages, Run run, Page state) {
  const uint64_t piece = Piece(slot);
  const uint64_t like = EntryWas(pages, run.first, state);
  return Widen(slot, run, 0, piece, [&](uint64_t page) {
    const Run one{page, 1};
    if (!Take(pages, page, like)) return false;
    if (Revoke(slot, one) && !raw::Readable(At(slot, page))) return true;
    Restore(slot, pages, one, state);
    Put(pages, one, state);
    return false;
  });
}

void Record(Slot* slot, Kind kind, Run run, bool write, Page area) {
  Counter& counter = slot->counters[static_cast<int>(kind)];
  const uint64_t offset = OffsetOf(slot, run.first);
  uint64_t none = 0;
  counter.first.compare_exchange_strong(none, offset + 1);
  counter.latest.store(offset);
  counter.pages.fetch_add(run.count);
  if (write) counter.writes.fetch_add(run.count);
  const bool adjoins = slot->next.exchange(run.first + run.count) == run.first;
  const bool alike = slot->area.exchange(static_cast<uint8_t>(area)) == static_cast<uint8_t>(area);
  if (!adjoins || !alike || area == Page::kBusy) {
    slot->islands.fetch_add(1);
    all_islands.fetch_add(1);
  }
  slot->repeats.store(0);
  std::atomic_ref<uint32_t>(*Word(slot)).fetch_add(1);
  NotifySoon();
}

void ForgetIslands(Slot* slot) {
  all_islands.fetch_sub(slot->islands.exchange(0));
}

}  // namespace core::guard
