// The private descriptors of mapped files, for the guard: one for all mappings of a file that were opened alike, closed
// with the last of them.
#pragma once
#include <cstdint>

namespace core {

class File {
 public:
  // fd stays the caller's: what is kept is a duplicate, close-on-exec. nullptr where descriptors have run out: every
  // user of a File can do without.
  static File* Of(int fd, uint64_t device, uint64_t inode, bool writable);

  int fd() const { return fd_; }
  void Release();

  File(const File&) = delete;
  File& operator=(const File&) = delete;

 private:
  File(int fd, uint64_t device, uint64_t inode, bool writable)
      : fd_(fd), writable_(writable), device_(device), inode_(inode) {}
  ~File() = default;

  int fd_;
  bool writable_;
  uint64_t device_;
  uint64_t inode_;
  uint32_t users_ = 1;
  File* next_ = nullptr;
};

}  // namespace core
