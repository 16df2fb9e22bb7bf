#include "outline.hpp"

#include <algorithm>
#include <cstdlib>
#include <utility>

namespace nle {

void Runs::clear() {
  x.clear();
  y.clear();
  next.clear();
}

void Runs::add(int row, int from, int to) {
  x.push_back(from);
  x.push_back(to);
  y.push_back(row);
  next.push_back(-1);
  next.push_back(-1);
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

// Douglas-Peucker on the open chain polygon[from..to] (indices may run one past the end, which is the first corner).
void Simplifier::keep_between(const std::vector<Point>& polygon, int from, int to, double tolerance) {
  const int size = static_cast<int>(polygon.size());
  stack_.assign(1, {from, to});
  while (!stack_.empty()) {
    const auto [low, high] = stack_.back();
    stack_.pop_back();
    if (high - low < 2) continue;
    const Point a = polygon[low];
    const Point b = polygon[high == size ? 0 : high];
    const double dx = b.x - a.x;
    const double dy = b.y - a.y;
    const double length2 = dx * dx + dy * dy;  // > 0: the ends of a chain are different corners
    double farthest = tolerance * tolerance * length2;
    int split = -1;
    for (int i = low + 1; i < high; ++i) {
      const double px = polygon[i].x - a.x;
      const double py = polygon[i].y - a.y;
      const double across = dx * py - dy * px;
      const double along = dx * px + dy * py;
      // Distance to the segment, not to the line through it, times its length; squared.
      const double beyond = std::max(std::max(-along, along - length2), 0.0);
      const double distance = across * across + beyond * beyond;
      if (distance > farthest) {
        farthest = distance;
        split = i;
      }
    }
    if (split < 0) continue;
    keep_[split] = 1;
    stack_.emplace_back(low, split);
    stack_.emplace_back(split, high);
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
  for (; size > 4 && tolerance >= 0.25; tolerance *= 0.5) {
    keep_.assign(static_cast<std::size_t>(size), 0);
    keep_[0] = keep_[opposite] = 1;
    keep_between(polygon, 0, opposite, tolerance);
    keep_between(polygon, opposite, size, tolerance);
    kept_.clear();
    for (int i = 0; i < size; ++i) {
      if (keep_[i]) kept_.push_back(polygon[i]);
    }
    if (5 * std::abs(double_area(kept_) - area) <= area) {
      polygon.swap(kept_);
      return;
    }
  }
}

}  // namespace nle
