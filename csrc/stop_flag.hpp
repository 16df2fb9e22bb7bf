#pragma once

#include <atomic>
#include <cstdint>

// Ends a long computation in another library, which asks `requested` between its steps: from any thread, or when its
// time is up. Asking takes two atomic reads and one look at the clock, no lock.
namespace nle {

class StopFlag {
 public:
  // Clears the flag and gives the computation so many seconds from now; infinity: as long as it takes.
  void arm(double seconds);

  // Ends it; lasts until the next `arm`.
  void stop() { stopped_.store(true, std::memory_order_relaxed); }

  bool requested() const;

  // For C interfaces: `flag` is a StopFlag.
  static bool requested_of(void* flag) { return static_cast<const StopFlag*>(flag)->requested(); }

 private:
  std::atomic<bool> stopped_{false};
  std::atomic<std::int64_t> deadline_{INT64_MAX};  // nanoseconds of the steady clock
};

}  // namespace nle
