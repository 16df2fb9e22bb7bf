#include "outline.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace nle {

void Runs::reserve(int more) {
  const auto needed = static_cast<std::size_t>(count + more);
  if (needed <= y.size()) return;
  const std::size_t room = std::max<std::size_t>(2 * needed, 256);
  x.resize(2 * room);
  y.resize(room);
  next.resize(2 * room);
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

void trace(const Runs& runs, int run, std::vector<Point>& polygon) {
  polygon.clear();
  const int start = 2 * run;
  int edge = start;
  do {
    const int after = runs.next[edge];
    const std::int32_t line = runs.y[edge >> 1] + (edge & 1);
    if (runs.x[edge] != runs.x[after]) {
      polygon.push_back({runs.x[edge], line});
      polygon.push_back({runs.x[after], line});
    }
    edge = after;
  } while (edge != start);
}

std::int64_t double_area(const std::vector<Point>& polygon) {
  std::int64_t sum = 0;
  for (std::size_t i = 0, j = polygon.size() - 1; i < polygon.size(); j = i++) {
    sum += std::int64_t{polygon[j].x} * polygon[i].y - std::int64_t{polygon[i].x} * polygon[j].y;
  }
  return sum;
}

// Douglas-Peucker on the open chain of corners from..to; corner number size is the first one again.
void Simplifier::keep_between(int from, int to, double tolerance) {
  const float* x = x_.data();
  const float* y = y_.data();
  float* distance = distance_.data();
  const auto tolerance2 = static_cast<float>(tolerance * tolerance);
  stack_.assign(1, {from, to});
  while (!stack_.empty()) {
    const auto [low, high] = stack_.back();
    stack_.pop_back();
    const float ax = x[low];
    const float ay = y[low];
    const float dx = x[high] - ax;
    const float dy = y[high] - ay;
    const float length2 = dx * dx + dy * dy;  // > 0: the ends of a chain are different corners
    float farthest = 0.0f;
#pragma omp simd reduction(max : farthest)
    for (int i = low + 1; i < high; ++i) {
      const float px = x[i] - ax;
      const float py = y[i] - ay;
      const float across = dx * py - dy * px;
      const float along = dx * px + dy * py;
      // Distance to the segment, not to the line through it, times its length; squared.
      const float over = along - length2;
      float beyond = -along > over ? -along : over;
      beyond = beyond > 0.0f ? beyond : 0.0f;
      distance[i] = across * across + beyond * beyond;
      farthest = farthest > distance[i] ? farthest : distance[i];
    }
    if (farthest <= tolerance2 * length2) continue;
    const int split = static_cast<int>(std::find(distance + low + 1, distance + high, farthest) - distance);
    keep_[split] = 1;
    if (split - low > 1) stack_.emplace_back(low, split);
    if (high - split > 1) stack_.emplace_back(split, high);
  }
}

void Simplifier::operator()(std::vector<Point>& polygon, double tolerance) {
  const int size = static_cast<int>(polygon.size());
  const std::int64_t area = double_area(polygon);
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
  x_.resize(static_cast<std::size_t>(size) + 1);
  y_.resize(static_cast<std::size_t>(size) + 1);
  distance_.resize(static_cast<std::size_t>(size) + 1);
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
    kept_.clear();
    for (int i = 0; i < size; ++i) {
      if (keep_[i]) kept_.push_back(polygon[i]);
    }
    if (10 * std::abs(double_area(kept_) - area) <= area) {
      polygon.swap(kept_);
      return;
    }
  }
}

}  // namespace nle
