#pragma once

#include <algorithm>
#include <cstddef>
#include <exception>
#include <system_error>
#include <thread>
#include <vector>

namespace nle {

// Workers that `count` items occupy. Whether a thread is worth starting is the caller's judgement, because only it
// knows what one item costs: for small work it passes `threads = 1`.
inline std::size_t worker_count(std::size_t count, std::size_t threads) {
  return std::max<std::size_t>(1, std::min(threads, count));
}

// Calls `fn(begin, end, worker)` on contiguous shares of [0, count), one share per worker; worker < worker_count().
// A worker sees its whole share in one call, so that scratch memory is made once per worker, not once per item.
// Runs inline when one worker is enough. All workers finish before the first exception is thrown on.
template <typename Fn>
void parallel_ranges(std::size_t count, std::size_t threads, Fn&& fn) {
  if (count == 0) return;
  const std::size_t workers = worker_count(count, threads);
  if (workers == 1) {
    fn(std::size_t{0}, count, std::size_t{0});
    return;
  }
  std::vector<std::exception_ptr> errors(workers);
  auto share = [&](std::size_t worker) noexcept {
    try {
      fn(count * worker / workers, count * (worker + 1) / workers, worker);
    } catch (...) {
      errors[worker] = std::current_exception();
    }
  };
  std::vector<std::thread> pool;
  pool.reserve(workers - 1);
  std::size_t started = 1;
  try {
    for (; started < workers; ++started) pool.emplace_back(share, started);
  } catch (const std::system_error&) {
    // The system gives no more threads: the caller's thread does the rest, slower and with the same result.
    for (std::size_t worker = started; worker < workers; ++worker) share(worker);
  }
  share(0);
  for (std::thread& thread : pool) thread.join();
  for (const std::exception_ptr& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

// Calls `fn(index)` for every index in [0, count), spread over `threads` threads.
template <typename Fn>
void parallel_for(std::size_t count, std::size_t threads, Fn&& fn) {
  parallel_ranges(count, threads, [&](std::size_t begin, std::size_t end, std::size_t) {
    for (std::size_t index = begin; index < end; ++index) fn(index);
  });
}

}  // namespace nle
