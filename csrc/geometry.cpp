#include "geometry.hpp"

#include <algorithm>

namespace nle {
namespace {

// Map coordinate of pixel `index`: half-pixel centres, clamped to the map.
double coordinate(int index, double low, double high, int length) {
  const double u = (index + 0.5 - low) / (high - low) * length - 0.5;
  return std::min(std::max(u, 0.0), length - 1.0);
}

int base_of(double u, int length) { return std::max(0, std::min(static_cast<int>(u), length - 2)); }

}  // namespace

Geometry::Geometry(PictureSize picture_size, const Window& map_window, int map_height, int map_width)
    : size(picture_size),
      window(map_window),
      box(visible_pixels(picture_size, map_window)),
      cells(make_cells(picture_size, box)),
      quarters_x(quarter_cuts(picture_size.width)),
      quarters_y(quarter_cuts(picture_size.height)),
      pixels_per_column((map_window.right - map_window.left) / map_width) {
  row_fractions.assign(static_cast<std::size_t>(box.y1), 0.0);
  for (int y = box.y0; y < box.y1; ++y) {
    const double v = coordinate(y, window.top, window.bottom, map_height);
    const int map_row = base_of(v, map_height);
    if (bands.empty() || bands.back().map_row != map_row) bands.push_back({map_row, y, y, 0.0});
    bands.back().to = y + 1;
    row_fractions[y] = v - map_row;
    bands.back().fraction_sum += row_fractions[y];
  }
  fractions.assign(static_cast<std::size_t>(box.x1) + 1, 0.0);
  fraction_sums.assign(static_cast<std::size_t>(box.x1) + 1, 0.0);
  for (int x = box.x0; x < box.x1; ++x) {
    const double u = coordinate(x, window.left, window.right, map_width);
    const int column = base_of(u, map_width);
    if (segments.empty() || segments.back().column != column) {
      segments.push_back({column, x, x, (column + 0.5) * pixels_per_column + window.left - 0.5});
    }
    segments.back().to = x + 1;
    fractions[x] = u - column;
    fraction_sums[x + 1] = fraction_sums[x] + fractions[x];
  }
}

}  // namespace nle
