// Regions of activation maps, in pixels of the picture, without ever building the upsampled plane.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "cells.hpp"
#include "outline.hpp"
#include "zones.hpp"

namespace nle {

struct RegionOptions {
  double threshold;  // on where value > threshold * largest value of the map
  bool diagonal;     // 8-connectivity
  double min_area;   // fraction of the picture; smaller regions are left out
  double simplify;   // tolerance of the outline in pixels for pictures up to 512 pixels long; 0 keeps every corner
};

struct FoundRegion {
  std::int64_t area;
  std::int64_t sum_x2, sum_y2;  // sums of 2x+1 and 2y+1 over the pixels: twice the sums of the centres
  int left, top, right, bottom;
  double mean, peak;
  CellAreas cells;
  std::uint16_t places;  // see places_by_area
  int cell;              // see main_cell
  std::vector<Point> outline;
};

struct FoundMap {
  std::vector<FoundRegion> regions;  // by falling area, ties by their first pixel in scan order
  SixteenthAreas sixteenths;         // of all of them
};

// `maps` is count x height x width, row by row. `sizes` and `windows` hold one entry for all maps, or one per map.
// Values must be finite.
// `threads` = 0 takes one thread for little work, else what the machine has.
std::vector<FoundMap> find_regions(const float* maps, std::size_t count, int height, int width,
                                   const std::vector<PictureSize>& sizes, const std::vector<Window>& windows,
                                   const RegionOptions& options, std::size_t threads);

}  // namespace nle
