// Pages, alignment and checked ranges. No other file adds an offset to a length.
#pragma once
#include <cstdint>
#include <optional>

namespace core {

struct Range {
  uint64_t offset = 0;
  uint64_t length = 0;

  uint64_t end() const { return offset + length; }  // cannot overflow: see Within
};

// [offset, offset + length) if it lies in [0, total), without ever computing an overflowing sum.
inline std::optional<Range> Within(uint64_t total, uint64_t offset, uint64_t length) {
  if (offset > total || length > total - offset) return std::nullopt;
  return Range{offset, length};
}

inline uint64_t AlignDown(uint64_t n, uint64_t page) {
  return n & ~(page - 1);
}

// The caller guarantees n <= 2^63.
inline uint64_t AlignUp(uint64_t n, uint64_t page) {
  return AlignDown(n + page - 1, page);
}

// Every page that the range touches.
inline Range PagesTouched(Range range, uint64_t page) {
  if (range.length == 0) return {AlignDown(range.offset, page), 0};
  const uint64_t begin = AlignDown(range.offset, page);
  return {begin, AlignUp(range.end(), page) - begin};
}

// Every page that lies wholly in the range: what may be thrown away without touching a neighbour.
inline Range PagesInside(Range range, uint64_t page) {
  const uint64_t begin = AlignUp(range.offset, page);
  const uint64_t end = AlignDown(range.end(), page);
  return {begin, end > begin ? end - begin : 0};
}

// Offsets and lengths that mmap can take at all: off_t, with room to round up.
inline constexpr uint64_t kLargest = uint64_t{1} << 62;

}  // namespace core
