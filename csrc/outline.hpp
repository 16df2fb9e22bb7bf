// Outlines of regions on pixel cracks, in time that grows with the number of runs, not of pixels.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace nle {

struct Point {
  std::int32_t x;
  std::int32_t y;
};

// Runs of "on" pixels in scan order. Run r covers [x[2r], x[2r+1]) of row y[r]. Its left side is edge 2r, its right
// side edge 2r+1; next[edge] is the edge that follows on the boundary, walked clockwise on screen: down the right
// sides, up the left sides.
struct Runs {
  std::vector<std::int32_t> x;
  std::vector<std::int32_t> y;
  std::vector<std::int32_t> next;

  int count = 0;  // the vectors are longer: room for more

  // Makes room for `more` runs.
  void reserve(int more);

  // The last run now ends at `to`.
  void extend(int to) { x[2 * count - 1] = to; }

  // Returns the new run's number.
  int add(int row, int from, int to) {
    x[2 * count] = from;
    x[2 * count + 1] = to;
    y[count] = row;
    return count++;
  }
};

// Joins the edges that end on the grid line between two rows: runs [above, here) lie above it, [here, end) below.
// Between the sorted edge ends the coverage of the two rows differs in every second interval; that is where the
// boundary runs along the line, so that consecutive ends are joined in pairs. Where two runs touch only by a corner
// (one right and one left side at the same x) the order of the two decides whether the boundary goes around the "on"
// pixels (4-connectivity) or around the "off" pixels (8-connectivity, which keeps the region in one loop).
void link_line(Runs& runs, int above, int here, int end, bool diagonal);

// The same where it is simple, else false and nothing is done: each run below lies under one run above, of which it
// touches no other, not even by a corner. Most lines are of this kind.
bool link_alike(Runs& runs, int above, int here, int end);

// Corners of the loop through the left side of `run`, clockwise on screen, beginning at that side's upper end. For the
// first run of a region in scan order this is the outer boundary; holes are loops of their own and never visited.
// `polygon` has room for four corners a run; returns how many there are.
int trace(const Runs& runs, int run, Point* polygon);

// Twice the area inside a closed polygon, positive when clockwise on screen.
std::int64_t double_area(const Point* polygon, int size);

// Leaves out corners such that none is farther than `tolerance` pixels from the polygon that remains. A polygon that
// would lose or gain more than a tenth of its area (a dot, a thin line) is kept closer to the original instead.
class Simplifier {
 public:
  // Shortens `polygon` and returns its new size.
  int operator()(Point* polygon, int size, double tolerance);

 private:
  void keep_between(int from, int to, double tolerance);

  std::vector<char> keep_;
  std::vector<float> x_, y_, distance_;
  std::vector<std::pair<int, int>> stack_;
  std::vector<Point> kept_;
};

}  // namespace nle
