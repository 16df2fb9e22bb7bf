// Where the pixels of a picture lie between the columns and the rows of a map.
#pragma once

#include <vector>

#include "cells.hpp"
#include "zones.hpp"

namespace nle {

// Pixels [from, to) of every row lie between map columns `column` and `column + 1`.
struct Segment {
  int column;
  int from, to;
  double zero;  // where x would be at fraction 0
};

// Picture rows [from, to) lie between map rows `map_row` and `map_row + 1`.
struct Band {
  int map_row;
  int from, to;
  double fraction_sum;  // over its rows
};

// All that depends on the picture and the window but not on the map; made once for maps that share them.
struct Geometry {
  Geometry(PictureSize size, const Window& window, int map_height, int map_width);

  PictureSize size;
  Window window;
  PixelBox box;
  CellGrid cells;
  QuarterCuts quarters_x, quarters_y;
  double pixels_per_column;
  std::vector<Segment> segments;
  std::vector<Band> bands;
  std::vector<double> row_fractions;  // of row y; those above box.y0 are not used
  std::vector<double> fractions;      // of pixel x; those left of box.x0 are not used; one more to be read
  std::vector<double> fraction_sums;  // over the pixels before x
};

}  // namespace nle
