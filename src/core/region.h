// A Region owns one mapping. Who may still see its bytes, and who merely still knows its address,
// decides what becomes of it:
//
//   users    leases that were not ended: the bytes stay
//   ops      system calls in flight on the thread pool: the bytes stay until they are done
//   pins     leases that were ended while somebody can still reach the address (a moved buffer, a
//            SharedArrayBuffer, a job of the runtime's own): the address stays taken, the bytes go
//
// users or ops: mapped. Only pins: decommitted, which is private zero pages over the whole range, so
// the file is let go at once and a late reader sees zeros. None: unmapped. Every change goes
// through one function, Settle, under one lock a Region. Any thread may call anything here.
#pragma once
#include <sys/stat.h>

#include <cstdint>

#include "core/file.h"
#include "core/guard.h"
#include "core/mutex.h"
#include "core/range.h"
#include "core/result.h"

namespace core {

uint64_t PageSize();

struct MapRequest {
  int fd = -1;
  uint64_t offset = 0;  // any byte: the Region aligns down and moves its first byte up
  uint64_t length = 0;
  int prot = 0;
  int flags = 0;           // MAP_*
  uint64_t page_size = 0;  // of the pages that back it; 0: the ordinary one
  bool keep_fd = false;    // the Region closes it when the mapping goes
  uint64_t device = 0;     // of the file, to know it again
  uint64_t inode = 0;
  bool preallocated = false;    // every block of the range has its place on the disk
  bool peers_readonly = false;  // sealed so that others can only read
  bool guarded = true;          // false: a fault ends the process, as the kernel has it
  uint64_t mirrored = 0;        // the last so many bytes, whole pages, appear again behind the end: core/mirror.h
};

// What a mapping is called by people: UTF-8, cut where it is longer.
inline constexpr size_t kLabelLength = 63;

// What the list of mappings says of one.
struct RegionFacts {
  char* address;  // of the first page
  uint64_t span;  // bytes of whole pages
  uint64_t page_size;
  uint64_t offset;  // of the first byte in the file
  uint64_t length;
  uint64_t device;
  uint64_t inode;
  int prot;
  int flags;
  int fd;
  bool decommitted;
  bool preallocated;
  bool peers_readonly;
  char label[kLabelLength + 1];
};

struct Verdict {
  uint64_t file_size;
  uint64_t lost_pages;  // see guard::LostWrites
  uint64_t lost_first;
};

class Region {
 public:
  static constexpr size_t kIdLength = 32;

  // One mmap, nothing else. The new Region has one user. Takes over request.fd when keep_fd is
  // set, on failure too.
  static Result<Region*> Map(const MapRequest& request);

  // The open Region with this id, with one user more; nullptr when there is none.
  static Region* Join(const char* id);

  // Calls visit(facts, context) for every Region of the process, under the list's lock.
  static void ForEach(void (*visit)(const RegionFacts& facts, void* context), void* context);

  Region(const Region&) = delete;
  Region& operator=(const Region&) = delete;

  uint64_t length() const { return request_.length; }
  uint64_t page_size() const { return request_.page_size; }
  char* data() const { return base_ + lead_; }
  RegionFacts Facts();

  // The id it is joined by: the given one, or the one it has already.
  const char* Identify(const char* id);
  void Label(const char* label);

  // The first byte of the mapping is `lead` bytes behind base(), the start of its first page.
  char* base() const { return base_; }
  uint64_t lead() const { return lead_; }
  // The checked range, in bytes of the mapping; counted from base(), pages' edges included.
  Result<Range> Check(uint64_t offset, uint64_t length) const;
  Result<Range> CheckFromLead(uint64_t offset, uint64_t length) const;
  // Whole pages for a system call, as an address and a length.
  char* PagesOf(Range range, bool inside_only, size_t* length) const;

  // mprotect(2) on every page that the range touches.
  Status Protect(uint64_t offset, uint64_t length, int prot);

  // The guard's record of this mapping; nullptr where nothing is guarded.
  guard::Slot* slot();
  // What the file is like now, whether or not a page was touched.
  Result<Verdict> Verify();
  // A failure where bytes in these pages were written and are in no file.
  Status CheckWritten(char* address, uint64_t length);
  Status CheckWritten() { return CheckWritten(base_, span_); }
  Result<uint64_t> Refresh(guard::RefreshRequest request);

  // In-flight operations. False when the bytes are gone already.
  bool BeginOperation();
  Status EndOperation();
  // The shared Region that these bytes lie in, with an operation begun; nullptr when there is none.
  static Region* BeginOperationAt(const char* address, uint64_t length);

 private:
  friend class Lease;
  enum class State : uint8_t { kMapped, kDecommitted, kUnmapped };

  explicit Region(const MapRequest& request);
  RegionFacts FactsLocked() const;
  ~Region() = default;
  // The guard's view of the pages, where a fault in them is possible.
  void Guard(File* file);
  bool Faultable() const;
  bool HasFile() const;
  void ForgetFile();
  void Unguard();
  Status Decommit();
  void AddPin();
  void List();
  void ListLocked();  // with list_lock_ held
  void Unlist();

  // With lock_ held; gives it back. May delete this.
  Status SettleAndUnlock();
  Status Unmap();
  Status DropUser(bool leaves_pin);
  Status DropPin();
  // With lock_ held.
  Status Resizable() const;
  // The same pages under a new length, in a Region of its own; this one is left with its pins.
  Result<Region*> Resize(uint64_t length, int fd, bool leaves_pin);
  // Its middle part, with list_lock_ and lock_ held.
  Result<Region*> MoveAway(uint64_t length, int fd, bool leaves_pin);
  Result<char*> MovePages(const Region& next, bool leave_range, int fd) const;

  // Comes before any lock_ where both are needed.
  static Mutex list_lock_;
  Mutex lock_;
  MapRequest request_;
  char* base_;
  uint64_t lead_;  // bytes of the first page before the first byte
  uint64_t span_;  // bytes of whole pages
  uint32_t users_ = 1;
  uint32_t pins_ = 0;
  uint32_t ops_ = 0;
  State state_ = State::kMapped;
  bool mixed_ = false;  // protect() made parts of it differ
  guard::Slot* slot_ = nullptr;
  File* file_ = nullptr;
  Region* previous_ = nullptr;
  Region* next_ = nullptr;
  char id_[kIdLength + 1] = {};
  char label_[kLabelLength + 1] = {};
};

}  // namespace core
