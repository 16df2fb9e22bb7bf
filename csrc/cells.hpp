// The nine cells of a picture cut 3 x 3, and the rule that decides in which of them a region lies.
#pragma once

#include <array>
#include <cstdint>

namespace nle {

struct PictureSize {
  int width;
  int height;
};

// The rectangle of the picture, in pixels, that the map covers.
struct Window {
  double left, top, right, bottom;
};

// Pixels [x0, x1) x [y0, y1) of the picture have their centre inside the window, its edges included.
struct PixelBox {
  int x0, y0, x1, y1;
};

using CellAreas = std::array<std::int64_t, 9>;

// Cell (row, column) holds pixels [cut_x[column], cut_x[column + 1]) x [cut_y[row], cut_y[row + 1]).
struct CellGrid {
  std::array<int, 4> cut_x;
  std::array<int, 4> cut_y;
  CellAreas whole;  // pixels of each cell
  CellAreas seen;   // pixels of each cell that lie in the window
};

PixelBox visible_pixels(PictureSize size, const Window& window);

CellGrid make_cells(PictureSize size, const PixelBox& box);

// Bit c is set when cell c counts as a place of a region with these on-areas; 0x1FF: the entire image.
// - On nearly everywhere (>= 9/10 of what is seen): all nine, also when the window hides some of them.
// - Cells in the smallest set, by falling area, that holds >= 3/4 of the on-area; cells within 1 % of the on-area of
//   the last one come in too, so that a mirrored picture gives mirrored cells.
// - Cells at least half on, if at least a tenth of the cell is seen.
std::uint16_t places_by_area(const CellAreas& on, const CellGrid& grid);

// The cell with the largest on-area; among equals the one that holds the centroid. `sum_x2` and `sum_y2` are the
// sums of 2x+1 and 2y+1 over the region's pixels.
int main_cell(const CellAreas& on, PictureSize size, std::int64_t area, std::int64_t sum_x2, std::int64_t sum_y2);

}  // namespace nle
