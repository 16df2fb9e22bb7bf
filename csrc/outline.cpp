#include "outline.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "narrow.hpp"

namespace nle {
namespace {

constexpr int kLanes = 8;

// A chain of corners low..high, of which the ends are kept.
struct Chain {
  const float* x;
  const float* y;
  int low, high;
};

// Writes the distance of each inner corner to the segment between the ends, not to the line through it, times the
// segment's length, squared; returns the largest. Goes in whole vectors, over the end of the chain: most are short.
NLE_INLINE float measure(const Chain& chain, float* distance) {
  const float* x = chain.x;
  const float* y = chain.y;
  const int high = chain.high;
  const float ax = x[chain.low];
  const float ay = y[chain.low];
  const float dx = x[high] - ax;
  const float dy = y[high] - ay;
  const float length2 = dx * dx + dy * dy;
  float most[kLanes] = {};
  for (int i = chain.low + 1; i < high; i += kLanes) {
#pragma omp simd
    for (int lane = 0; lane < kLanes; ++lane) {
      const float px = x[i + lane] - ax;
      const float py = y[i + lane] - ay;
      const float across = dx * py - dy * px;
      const float along = dx * px + dy * py;
      const float over = along - length2;
      float beyond = -along > over ? -along : over;
      beyond = beyond > 0.0f ? beyond : 0.0f;
      const float found = i + lane < high ? across * across + beyond * beyond : 0.0f;
      distance[i + lane] = found;
      most[lane] = most[lane] > found ? most[lane] : found;
    }
  }
  float farthest = 0.0f;
  for (const float found : most) farthest = farthest > found ? farthest : found;
  return farthest;
}

using Measure = float (*)(const Chain&, float*);
float measure_generic(const Chain& chain, float* distance) { return measure(chain, distance); }
#ifdef NLE_AVX2
NLE_AVX2_EXACT float measure_avx2(const Chain& chain, float* distance) { return measure(chain, distance); }
#endif

Measure choose() {
#ifdef NLE_AVX2
  if (__builtin_cpu_supports("avx2")) return measure_avx2;
#endif
  return measure_generic;
}

}  // namespace

void Runs::reserve(int more) {
  const auto needed = static_cast<std::size_t>(count + more);
  if (needed <= y.size()) return;
  const std::size_t room = std::max<std::size_t>(2 * needed, 256);
  x.resize(2 * room);
  y.resize(room);
  next.resize(2 * room);
}

bool link_alike(Runs& runs, int above, int here, int end) {
  const int edges = 2 * (here - above);
  if (edges != 2 * (end - here)) return false;
  const std::int32_t* upper = runs.x.data() + 2 * above;
  const std::int32_t* lower = runs.x.data() + 2 * here;
  bool apart = true;
  for (int i = 1; i < edges; ++i) {
    apart &= std::max(upper[i - 1], lower[i - 1]) < std::min(upper[i], lower[i]);
  }
  if (!apart) return false;
  // Up the left sides, down the right ones.
  std::int32_t* next = runs.next.data();
  for (int run = 0; run < edges / 2; ++run) {
    next[2 * (here + run)] = 2 * (above + run);
    next[2 * (above + run) + 1] = 2 * (here + run) + 1;
  }
  return true;
}

void link_line(Runs& runs, int above, int here, int end, bool diagonal) {
  const std::int32_t* x = runs.x.data();
  std::int32_t* next = runs.next.data();
  const int above_end = 2 * here;
  const int below_end = 2 * end;
  int upper = 2 * above;
  int lower = 2 * here;
  int pending = -1;
  bool pending_leaves = false;
  while (upper < above_end || lower < below_end) {
    bool take_upper = lower == below_end;
    if (!take_upper && upper < above_end) {
      // At a corner shared by a left and a right side the order is the choice of the pairing.
      const bool upper_is_left = (upper & 1) == 0;
      take_upper = x[upper] < x[lower] || (x[upper] == x[lower] && upper_is_left == diagonal);
    }
    const int edge = take_upper ? upper++ : lower++;
    // Walking clockwise, a right side from above and a left side from below leave their edge here.
    const bool leaves = ((edge & 1) != 0) == take_upper;
    if (pending < 0) {
      pending = edge;
      pending_leaves = leaves;
    } else {
      if (pending_leaves) {
        next[pending] = edge;
      } else {
        next[edge] = pending;
      }
      pending = -1;
    }
  }
}

int trace(const Runs& runs, int run, Point* polygon) {
  const std::int32_t* x = runs.x.data();
  const std::int32_t* y = runs.y.data();
  const std::int32_t* next = runs.next.data();
  const int start = 2 * run;
  int edge = start;
  int size = 0;
  do {
    const int after = next[edge];
    const std::int32_t line = y[edge >> 1] + (edge & 1);
    // Both are written and kept where the boundary has a step: a branch would be guessed wrong every few edges.
    polygon[size] = {x[edge], line};
    polygon[size + 1] = {x[after], line};
    size += x[edge] != x[after] ? 2 : 0;
    edge = after;
  } while (edge != start);
  return size;
}

std::int64_t double_area(const Point* polygon, int size) {
  std::int64_t sum = 0;
  for (int i = 0, j = size - 1; i < size; j = i++) {
    sum += std::int64_t{polygon[j].x} * polygon[i].y - std::int64_t{polygon[i].x} * polygon[j].y;
  }
  return sum;
}

// Douglas-Peucker on the open chain of corners from..to; corner number size is the first one again.
void Simplifier::keep_between(int from, int to, double tolerance) {
  static const Measure measure_chain = choose();
  const float* x = x_.data();
  const float* y = y_.data();
  float* distance = distance_.data();
  const auto tolerance2 = static_cast<float>(tolerance * tolerance);
  stack_.assign(1, {from, to});
  while (!stack_.empty()) {
    const auto [low, high] = stack_.back();
    stack_.pop_back();
    const float dx = x[high] - x[low];
    const float dy = y[high] - y[low];
    const float length2 = dx * dx + dy * dy;  // > 0: the ends of a chain are different corners
    const float farthest = measure_chain({x, y, low, high}, distance);
    if (farthest <= tolerance2 * length2) continue;
    const int split = static_cast<int>(std::find(distance + low + 1, distance + high, farthest) - distance);
    keep_[split] = 1;
    if (split - low > 1) stack_.emplace_back(low, split);
    if (high - split > 1) stack_.emplace_back(split, high);
  }
}

int Simplifier::operator()(Point* polygon, int size, double tolerance) {
  const std::int64_t area = double_area(polygon, size);
  int opposite = 0;
  std::int64_t farthest = -1;
  for (int i = 1; i < size; ++i) {
    const std::int64_t px = polygon[i].x - polygon[0].x;
    const std::int64_t py = polygon[i].y - polygon[0].y;
    if (px * px + py * py > farthest) {
      farthest = px * px + py * py;
      opposite = i;
    }
  }
  // Coordinates are exact as float; distances are as good as the tolerance needs.
  const auto needed = static_cast<std::size_t>(size) + 1 + kLanes;
  if (x_.size() < needed) {
    x_.resize(needed);
    y_.resize(needed);
    distance_.resize(needed);
    kept_.resize(needed);
  }
  for (int i = 0; i <= size; ++i) {
    const Point& corner = polygon[i == size ? 0 : i];
    x_[i] = static_cast<float>(corner.x);
    y_[i] = static_cast<float>(corner.y);
  }
  for (; size > 4 && tolerance >= 0.25; tolerance *= 0.5) {
    keep_.assign(static_cast<std::size_t>(size), 0);
    keep_[0] = keep_[opposite] = 1;
    keep_between(0, opposite, tolerance);
    keep_between(opposite, size, tolerance);
    int kept = 0;
    for (int i = 0; i < size; ++i) {
      kept_[static_cast<std::size_t>(kept)] = polygon[i];
      kept += keep_[i];
    }
    if (10 * std::abs(double_area(kept_.data(), kept) - area) <= area) {
      std::copy_n(kept_.data(), kept, polygon);
      return kept;
    }
  }
  return size;
}

}  // namespace nle
