// Where the rows of a picture cross the threshold between two columns of the map.
#pragma once

#include <cstdint>

namespace nle {

// Pixels [from, to) of the picture rows between two map rows, and between two map columns. The value at (x, row) is
// r0 + (r1 - r0) * fractions[x] with r0 = left + left_step * g, r1 = right + right_step * g, g the row's fraction.
struct Patch {
  int from, to;
  double zero;  // where x would be at fraction 0
  double left, left_step, right, right_step;
};

// How far the pixels lie between the map's columns and rows.
struct Fractions {
  const double* of_columns;  // of pixel x; may be read up to Patch::to
  const double* of_rows;     // of the patch's rows
  int rows;
  double pixels_per_column;
};

// For each row of a patch: pixels [from, to) are on, none if they are equal; value r0 + slope * fraction of x.
struct RowEnds {
  std::int32_t* from;
  std::int32_t* to;
  double* start;
  double* slope;
};

// On where value > level; written so that the compiler's vector unit takes several rows at once.
void find_row_ends(const Patch& patch, const Fractions& fractions, double level, const RowEnds& ends);

}  // namespace nle
