#include "crossings.hpp"

#include <algorithm>

#include "narrow.hpp"

namespace nle {
namespace {

// The value rises or falls along a row of the patch, also after rounding (each operation is monotone in x), so that
// the "on" pixels are all, none, a head or a tail of it. The crossing is solved for, then checked by the definition at
// the pixels beside it. True if every row's was right. No branch depends on the values: maps are new each time, and a
// branch that is guessed wrong costs as much as the row.
NLE_INLINE bool solve(const Patch& patch, const Fractions& fractions, double level, const RowEnds& ends) {
  const double* columns = fractions.of_columns;
  const double* rows = fractions.of_rows;
  const double left = patch.left, left_step = patch.left_step, right = patch.right, right_step = patch.right_step;
  const double zero = patch.zero, pixels_per_column = fractions.pixels_per_column;
  const std::int32_t from = patch.from, to = patch.to;
  const double lowest = from, highest = std::max(from, to - 2);
  const double at_first = columns[from], at_last = columns[to - 1];
  std::int32_t* ends_from = ends.from;
  std::int32_t* ends_to = ends.to;
  double* starts = ends.start;
  double* slopes = ends.slope;
  std::int32_t wrong = 0;
#pragma omp simd reduction(| : wrong)
  for (int row = 0; row < fractions.rows; ++row) {
    const double g = rows[row];
    const double r0 = left + left_step * g;
    const double slope = (right + right_step * g) - r0;
    starts[row] = r0;
    slopes[row] = slope;
    const std::int32_t first_on = r0 + slope * at_first > level ? 1 : 0;
    const std::int32_t last_on = r0 + slope * at_last > level ? 1 : 0;
    // `x` is to become the first pixel that is not like the first one. Written so that a NaN (a slope of 0, with no
    // crossing) is bounded, too.
    double solved = zero + (level - r0) / slope * pixels_per_column;
    solved = solved > lowest ? solved : lowest;
    solved = solved < highest ? solved : highest;
    const std::int32_t x = static_cast<std::int32_t>(solved) + 1;
    const std::int32_t here_on = r0 + slope * columns[x] > level ? 1 : 0;
    const std::int32_t before_on = r0 + slope * columns[x - 1] > level ? 1 : 0;
    wrong |= (first_on ^ last_on) & ((here_on ^ first_on ^ 1) | (before_on ^ first_on));
    ends_from[row] = first_on ? from : (last_on ? x : to);
    ends_to[row] = last_on ? to : (first_on ? x : to);
  }
  return wrong == 0;
}

using Solve = bool (*)(const Patch&, const Fractions&, double, const RowEnds&);
bool solve_generic(const Patch& patch, const Fractions& fractions, double level, const RowEnds& ends) {
  return solve(patch, fractions, level, ends);
}
#ifdef NLE_AVX2
NLE_AVX2_EXACT bool solve_avx2(const Patch& patch, const Fractions& fractions, double level, const RowEnds& ends) {
  return solve(patch, fractions, level, ends);
}
#endif

Solve choose() {
#ifdef NLE_AVX2
  if (__builtin_cpu_supports("avx2")) return solve_avx2;
#endif
  return solve_generic;
}

// Rounding may put a solved crossing one pixel off.
void set_right(const Patch& patch, const Fractions& fractions, double level, const RowEnds& ends) {
  for (int row = 0; row < fractions.rows; ++row) {
    const double r0 = ends.start[row], slope = ends.slope[row];
    const auto on = [&](int x) { return r0 + slope * fractions.of_columns[x] > level; };
    const bool first_on = on(patch.from);
    if (first_on == on(patch.to - 1)) continue;
    std::int32_t& x = first_on ? ends.to[row] : ends.from[row];
    while (on(x) == first_on) ++x;
    while (on(x - 1) != first_on) --x;
  }
}

}  // namespace

void find_row_ends(const Patch& patch, const Fractions& fractions, double level, const RowEnds& ends) {
  static const Solve solve_rows = choose();
  if (!solve_rows(patch, fractions, level, ends)) set_right(patch, fractions, level, ends);
}

}  // namespace nle
