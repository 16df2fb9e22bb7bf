#include "stop_flag.hpp"

#include <chrono>

namespace nle {

namespace {

std::int64_t now() {
  using std::chrono::steady_clock;
  return std::chrono::duration_cast<std::chrono::nanoseconds>(steady_clock::now().time_since_epoch()).count();
}

constexpr double longest = 1e9;  // seconds; longer is the same as forever, and fits nanoseconds in 64 bits

}  // namespace

void StopFlag::arm(double seconds) {
  const bool ends = seconds < longest;
  deadline_.store(ends ? now() + static_cast<std::int64_t>(1e9 * seconds) : INT64_MAX, std::memory_order_relaxed);
  stopped_.store(false, std::memory_order_relaxed);
}

bool StopFlag::requested() const {
  return stopped_.load(std::memory_order_relaxed) || now() >= deadline_.load(std::memory_order_relaxed);
}

}  // namespace nle
