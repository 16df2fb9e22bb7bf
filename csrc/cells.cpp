#include "cells.hpp"

#include <algorithm>
#include <cmath>

namespace nle {
namespace {

// First and one past the last index whose centre lies in [low, high].
void visible_range(int size, double low, double high, int& first, int& last) {
  const auto clamp = [size](double value) { return std::min(std::max(value, 0.0), static_cast<double>(size)); };
  first = static_cast<int>(clamp(std::ceil(low - 0.5)));
  last = static_cast<int>(clamp(std::floor(high - 0.5) + 1.0));
  // low - 0.5 was rounded; the definition compares centres, so the comparison has the last word.
  while (first > 0 && first - 0.5 >= low) --first;
  while (first < size && first + 0.5 < low) ++first;
  while (last < size && last + 0.5 <= high) ++last;
  while (last > 0 && last - 0.5 > high) --last;
  last = std::max(first, last);
}

std::array<int, 4> thirds(int size) {
  // The first index whose centre is at or beyond k/3 of the size: 3 (2 i + 1) >= 2 k size. Never an equality, since
  // the left side is odd; therefore mirroring maps cells onto cells.
  const auto cut = [size](int k) { return (2 * k * size + 2) / 6; };
  return {0, cut(1), cut(2), size};
}

int overlap(int low, int high, int from, int to) { return std::max(0, std::min(high, to) - std::max(low, from)); }

}  // namespace

PixelBox visible_pixels(PictureSize size, const Window& window) {
  PixelBox box{};
  visible_range(size.width, window.left, window.right, box.x0, box.x1);
  visible_range(size.height, window.top, window.bottom, box.y0, box.y1);
  return box;
}

CellGrid make_cells(PictureSize size, const PixelBox& box) {
  CellGrid grid{thirds(size.width), thirds(size.height), {}, {}};
  for (int row = 0; row < 3; ++row) {
    const std::int64_t height = grid.cut_y[row + 1] - grid.cut_y[row];
    const std::int64_t seen_height = overlap(grid.cut_y[row], grid.cut_y[row + 1], box.y0, box.y1);
    for (int column = 0; column < 3; ++column) {
      const int cell = 3 * row + column;
      grid.whole[cell] = height * (grid.cut_x[column + 1] - grid.cut_x[column]);
      grid.seen[cell] = seen_height * overlap(grid.cut_x[column], grid.cut_x[column + 1], box.x0, box.x1);
    }
  }
  return grid;
}

std::uint16_t places_by_area(const CellAreas& on, const CellGrid& grid) {
  std::int64_t total = 0;
  std::int64_t seen = 0;
  for (int cell = 0; cell < 9; ++cell) {
    total += on[cell];
    seen += grid.seen[cell];
  }
  if (total == 0) return 0;
  if (10 * total >= 9 * seen) return 0x1FF;

  const std::int64_t most = *std::max_element(on.begin(), on.end());
  std::uint16_t places = 0;
  // Seven cells are named "entire image"; where less than half is on, only the fuller cells are named.
  for (const int quarters : {2, 3}) {
    int count = 0;
    places = 0;
    for (int cell = 0; cell < 9; ++cell) {
      const bool holds_much = on[cell] > 0 && 4 * on[cell] >= quarters * most;
      // Of a sliver little can be said: half of it on is not half of that place on.
      const bool filled = on[cell] > 0 && 2 * on[cell] >= grid.seen[cell] && 10 * grid.seen[cell] >= grid.whole[cell];
      if (!holds_much && !filled) continue;
      places = static_cast<std::uint16_t>(places | (1u << cell));
      ++count;
    }
    if (count < 7 || 2 * total >= seen) break;
  }
  return places;
}

int main_cell(const CellAreas& on, PictureSize size, std::int64_t area, std::int64_t sum_x2, std::int64_t sum_y2) {
  const auto largest = std::max_element(on.begin(), on.end());
  if (std::count(on.begin(), on.end(), *largest) == 1) return static_cast<int>(largest - on.begin());
  // Exactly on a cut counts as the middle third, from either side.
  const auto third = [area](std::int64_t sum2, std::int64_t length) {
    if (3 * sum2 < 2 * area * length) return 0;
    return 3 * sum2 > 4 * area * length ? 2 : 1;
  };
  return 3 * third(sum_y2, size.height) + third(sum_x2, size.width);
}

}  // namespace nle
