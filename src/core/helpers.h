// The helper threads of one environment: as many as its watches and robust words need, the first when it is needed.
#pragma once
#include "core/helper.h"

namespace core {

struct Fired {
  uint32_t id;
  int error;  // an errno, or 0
};

class Helpers {
 public:
  Helpers(Helper::Notify notify, void* context) : notify_(notify), context_(context) {}

  // The id of a watch: core/helper.h has the rules. Takes over the region's operation, on failure too.
  Result<uint32_t> Watch(uint32_t* word, uint32_t expected, Region* region);
  bool Unwatch(uint32_t id);
  bool Take(Fired* fired);

  Result<RobustList*> ListWithRoom();
  uint64_t FoundLate() const;
  void Stop();

 private:
  static constexpr size_t kMost = 256;

  Result<Helper*> Another();

  Helper* all_[kMost] = {};
  size_t count_ = 0;
  Helper::Notify notify_;
  void* context_;
};

}  // namespace core
