#include "regions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <thread>

#include "crossings.hpp"
#include "geometry.hpp"
#include "parallel.hpp"

namespace nle {
namespace {

// Every float64 operation here, in geometry.cpp and in crossings.cpp is written in the order of ops/reference.py, so
// that both give the same bits; the build forbids fused multiply-adds.

// What is known of a region while rows go by; labels that turn out to be one region are added up at the end.
struct Tally {
  int parent;
  int first_run;
  int left, right, top, bottom;
  std::int64_t area = 0, sum_x2 = 0, sum_y2 = 0;
  double sum = 0.0, peak = -std::numeric_limits<double>::infinity();
  CellAreas cells{};

  Tally(int label, int run, int from, int to, int row)
      : parent(label), first_run(run), left(from), right(to), top(row), bottom(row + 1) {}

  void merge(const Tally& other) {
    left = std::min(left, other.left);
    right = std::max(right, other.right);
    top = std::min(top, other.top);
    bottom = std::max(bottom, other.bottom);
    area += other.area;
    sum_x2 += other.sum_x2;
    sum_y2 += other.sum_y2;
    sum += other.sum;
    peak = std::max(peak, other.peak);
    for (std::size_t cell = 0; cell < cells.size(); ++cell) cells[cell] += other.cells[cell];
  }
};

// One map at a time; everything but the result lives in scratch memory that is kept from map to map.
class Finder {
 public:
  Finder(int height, int width, const RegionOptions& options) : height_(height), width_(width), options_(options) {}

  FoundMap operator()(const float* map, const Geometry& geometry);

 private:
  struct RunValues {
    double sum, peak;
  };
  // Patches side by side that are on at all of their pixels, or one patch of which the rows are looked at.
  struct Span {
    int from, to;
    bool whole;
    RunValues values;  // of all rows, where it is whole
  };

  void select_spans(const float* map, const Band& band);
  RunValues whole_values(const Patch& patch, const Band& band) const;
  void scan_row(const Band& band, int y);
  void label_row(int y, int above, int here);
  void tally_row(int y, int here);
  int find(int label);
  int unite(int a, int b);
  FoundMap collect();
  void drop_runs(double smallest);

  int height_, width_;
  RegionOptions options_;
  const Geometry* geometry_ = nullptr;
  double level_ = 0.0;   // on where value > level_
  double margin_ = 0.0;  // beyond any rounding error of an interpolated value
  std::vector<Span> spans_;
  std::vector<std::int32_t> from_, to_;  // of each span and row of the band, see RowEnds
  std::vector<double> start_, slope_;
  Runs runs_;
  std::vector<int> labels_;        // of each run
  std::vector<RunValues> values_;  // of each run of the current row
  std::vector<Tally> tallies_;     // of each label
  std::vector<int> order_;
  std::vector<Point> polygon_;
  Simplifier simplify_;
};

FoundMap Finder::operator()(const float* map, const Geometry& geometry) {
  geometry_ = &geometry;
  const auto [low, high] = std::minmax_element(map, map + static_cast<std::ptrdiff_t>(height_) * width_);
  if (!(*high > 0.0f)) return {};
  level_ = options_.threshold * static_cast<double>(*high);
  margin_ = 1e-12 * std::max(static_cast<double>(*high), -static_cast<double>(*low));
  runs_.count = 0;
  tallies_.clear();

  int above = 0;
  for (const Band& band : geometry.bands) {
    select_spans(map, band);
    for (int y = band.from; y < band.to; ++y) {
      const int here = runs_.count;
      scan_row(band, y);
      if (above < runs_.count) {
        if (link_alike(runs_, above, here, runs_.count)) {
          for (int run = here; run < runs_.count; ++run) labels_[run] = find(labels_[above + run - here]);
        } else {
          link_line(runs_, above, here, runs_.count, options_.diagonal);
          label_row(y, above, here);
        }
        tally_row(y, here);
      }
      above = here;
    }
  }
  link_line(runs_, above, runs_.count, runs_.count, options_.diagonal);
  return collect();
}

// Bilinear values lie between the four corners: most patches are decided for all of their rows at once.
void Finder::select_spans(const float* map, const Band& band) {
  const float* upper = map + static_cast<std::ptrdiff_t>(band.map_row) * width_;
  const float* lower = map + static_cast<std::ptrdiff_t>(std::min(band.map_row + 1, height_ - 1)) * width_;
  const int rows = band.to - band.from;
  const std::size_t needed = geometry_->segments.size() * static_cast<std::size_t>(rows);
  if (needed > from_.size()) {
    from_.resize(needed);
    to_.resize(needed);
    start_.resize(needed);
    slope_.resize(needed);
  }
  const Fractions fractions{geometry_->fractions.data(), geometry_->row_fractions.data() + band.from, rows,
                            geometry_->pixels_per_column};
  spans_.clear();
  std::size_t at = 0;
  for (const Segment& segment : geometry_->segments) {
    const int next = std::min(segment.column + 1, width_ - 1);
    const double a = upper[segment.column], b = upper[next], c = lower[segment.column], d = lower[next];
    const auto [low, high] = std::minmax({a, b, c, d});
    if (high <= level_ - margin_) continue;
    const Patch patch{segment.from, segment.to, segment.zero, a, c - a, b, d - b};
    if (low > level_ + margin_) {
      const RunValues values = whole_values(patch, band);
      if (!spans_.empty() && spans_.back().whole && spans_.back().to == patch.from) {
        Span& last = spans_.back();
        last.to = patch.to;
        last.values = {last.values.sum + values.sum, std::max(last.values.peak, values.peak)};
        continue;
      }
      spans_.push_back({patch.from, patch.to, true, values});
    } else {
      spans_.push_back({patch.from, patch.to, false, {}});
      find_row_ends(patch, fractions, level_, {&from_[at], &to_[at], &start_[at], &slope_[at]});
    }
    at += static_cast<std::size_t>(rows);
  }
}

// Arithmetic series in both directions, and the largest of the four corners.
Finder::RunValues Finder::whole_values(const Patch& patch, const Band& band) const {
  const double* fractions = geometry_->fractions.data();
  const double* sums = geometry_->fraction_sums.data();
  const double rows = band.to - band.from;
  const double sum_left = patch.left * rows + patch.left_step * band.fraction_sum;
  const double sum_right = patch.right * rows + patch.right_step * band.fraction_sum;
  RunValues values{(patch.to - patch.from) * sum_left + (sum_right - sum_left) * (sums[patch.to] - sums[patch.from]),
                   -std::numeric_limits<double>::infinity()};
  for (const int y : {band.from, band.to - 1}) {
    const double g = geometry_->row_fractions[static_cast<std::size_t>(y)];
    const double r0 = patch.left + patch.left_step * g;
    const double slope = (patch.right + patch.right_step * g) - r0;
    values.peak = std::max(values.peak, r0 + slope * fractions[slope > 0.0 ? patch.to - 1 : patch.from]);
  }
  return values;
}

// Joins what the spans of a row have on into runs. A whole span's values count once, in its first row.
void Finder::scan_row(const Band& band, int y) {
  const double* fractions = geometry_->fractions.data();
  const double* sums = geometry_->fraction_sums.data();
  runs_.reserve(static_cast<int>(spans_.size()));
  if (labels_.size() < runs_.y.size()) labels_.resize(runs_.y.size());
  if (values_.size() < spans_.size()) values_.resize(spans_.size());
  const int first = runs_.count;
  RunValues* value = nullptr;  // of the last run of this row
  int open_end = -1;           // where the last run of this row ends so far
  const auto rows = static_cast<std::size_t>(band.to - band.from);
  auto at = static_cast<std::size_t>(y - band.from);
  for (const Span& span : spans_) {
    int from = span.from;
    int to = span.to;
    RunValues found{0.0, 0.0};  // neither more nor higher than what is on
    if (!span.whole) {
      from = from_[at];
      to = to_[at];
      const double r0 = start_[at];
      const double slope = slope_[at];
      // Arithmetic series: the fractions of the pixels were summed once per picture.
      found = {(to - from) * r0 + slope * (sums[to] - sums[from]), r0 + slope * fractions[slope > 0.0 ? to - 1 : from]};
    } else if (y == band.from) {
      found = span.values;
    }
    at += rows;
    if (from == to) continue;
    if (from == open_end) {
      runs_.extend(to);
      value->sum += found.sum;
      value->peak = std::max(value->peak, found.peak);
    } else {
      value = &values_[static_cast<std::size_t>(runs_.add(y, from, to) - first)];
      *value = found;
    }
    open_end = to;
  }
}

int Finder::find(int label) {
  while (tallies_[label].parent != label) {
    tallies_[label].parent = tallies_[tallies_[label].parent].parent;
    label = tallies_[label].parent;
  }
  return label;
}

// The smaller label wins: the root of a region is the label of its first run in scan order.
int Finder::unite(int a, int b) {
  a = find(a);
  b = find(b);
  if (a > b) std::swap(a, b);
  tallies_[b].parent = a;
  return a;
}

// Gives each run of the row the label of the runs that it touches in the row above, or a new one.
void Finder::label_row(int y, int above, int here) {
  const std::int32_t* x = runs_.x.data();
  const int reach = options_.diagonal ? 1 : 0;
  for (int run = here; run < runs_.count; ++run) {
    const int from = x[2 * run];
    const int to = x[2 * run + 1];
    while (above < here && x[2 * above + 1] + reach <= from) ++above;
    int label = -1;
    for (int other = above; other < here && x[2 * other] < to + reach; ++other) {
      label = label < 0 ? find(labels_[other]) : unite(label, labels_[other]);
    }
    if (label < 0) {
      label = static_cast<int>(tallies_.size());
      tallies_.emplace_back(label, run, from, to, y);
    }
    labels_[run] = label;
  }
}

void Finder::tally_row(int y, int here) {
  const std::int32_t* x = runs_.x.data();
  const std::array<int, 4>& cut = geometry_->cells.cut_x;
  const std::array<int, 4>& cut_y = geometry_->cells.cut_y;
  const int cell_row = y < cut_y[1] ? 0 : (y < cut_y[2] ? 1 : 2);
  for (int run = here; run < runs_.count; ++run) {
    const int from = x[2 * run];
    const int to = x[2 * run + 1];
    const RunValues& value = values_[static_cast<std::size_t>(run - here)];
    Tally& tally = tallies_[labels_[run]];
    const std::int64_t length = to - from;
    tally.left = std::min(tally.left, from);
    tally.right = std::max(tally.right, to);
    tally.bottom = y + 1;
    tally.area += length;
    tally.sum_x2 += length * (from + to);
    tally.sum_y2 += length * (2 * y + 1);
    tally.sum += value.sum;
    tally.peak = std::max(tally.peak, value.peak);
    std::int64_t* cells = &tally.cells[static_cast<std::size_t>(3 * cell_row)];
    const int in_first = std::min(to, cut[1]) - std::min(from, cut[1]);
    const int in_last = std::max(to, cut[2]) - std::max(from, cut[2]);
    cells[0] += in_first;
    cells[1] += to - from - in_first - in_last;
    cells[2] += in_last;
  }
}

// Keeps the runs of regions that are not smaller; outlines can no longer be traced.
void Finder::drop_runs(double smallest) {
  int kept = 0;
  for (int run = 0; run < runs_.count; ++run) {
    if (static_cast<double>(tallies_[find(labels_[run])].area) < smallest) continue;
    runs_.x[2 * kept] = runs_.x[2 * run];
    runs_.x[2 * kept + 1] = runs_.x[2 * run + 1];
    runs_.y[kept++] = runs_.y[run];
  }
  runs_.count = kept;
}

FoundMap Finder::collect() {
  const PictureSize size = geometry_->size;
  const double smallest = options_.min_area * (static_cast<double>(size.width) * size.height);
  // A tolerance for the eye: the same share of any large picture.
  const double tolerance = options_.simplify * std::max(1.0, std::max(size.width, size.height) / 512.0);
  order_.clear();
  for (int label = 0; label < static_cast<int>(tallies_.size()); ++label) {
    const int root = find(label);
    if (root == label) {
      order_.push_back(label);
    } else {
      tallies_[root].merge(tallies_[label]);
    }
  }
  std::stable_sort(order_.begin(), order_.end(), [this](int a, int b) { return tallies_[a].area > tallies_[b].area; });

  const auto corners = 4 * static_cast<std::size_t>(runs_.count);
  if (polygon_.size() < corners) polygon_.resize(corners);
  FoundMap found;
  std::vector<FoundRegion>& regions = found.regions;
  regions.reserve(order_.size());
  for (const int label : order_) {
    const Tally& tally = tallies_[label];
    if (static_cast<double>(tally.area) < smallest) break;
    regions.emplace_back();
    FoundRegion& region = regions.back();
    region.area = tally.area;
    region.sum_x2 = tally.sum_x2;
    region.sum_y2 = tally.sum_y2;
    region.left = tally.left;
    region.top = tally.top;
    region.right = tally.right;
    region.bottom = tally.bottom;
    region.mean = tally.sum / static_cast<double>(tally.area);
    region.peak = tally.peak;
    region.cells = tally.cells;
    region.places = places_by_area(tally.cells, geometry_->cells);
    region.cell = main_cell(tally.cells, size, tally.area, tally.sum_x2, tally.sum_y2);
    int size = trace(runs_, tally.first_run, polygon_.data());
    if (tolerance > 0.0) size = simplify_(polygon_.data(), size, tolerance);
    region.outline.assign(polygon_.data(), polygon_.data() + size);
  }
  if (regions.size() < order_.size()) drop_runs(smallest);
  found.sixteenths = count_sixteenths(runs_, geometry_->quarters_x, geometry_->quarters_y);
  return found;
}

std::size_t choose_threads(std::size_t asked, std::size_t count, int width, const std::vector<PictureSize>& sizes) {
  if (asked > 0) return asked;
  double patches = 0.0;
  for (std::size_t map = 0; map < count; ++map) {
    const PictureSize size = sizes[sizes.size() == 1 ? 0 : map];
    patches += static_cast<double>(size.height) * (2 + std::min(width, size.width));
  }
  // Some 5 ns each; a thread costs tens of microseconds to start.
  return patches < 200'000.0 ? 1 : std::max(1u, std::thread::hardware_concurrency());
}

bool same(PictureSize a, PictureSize b) { return a.width == b.width && a.height == b.height; }

bool same(const Window& a, const Window& b) {
  return a.left == b.left && a.top == b.top && a.right == b.right && a.bottom == b.bottom;
}

}  // namespace

std::vector<FoundMap> find_regions(const float* maps, std::size_t count, int height, int width,
                                   const std::vector<PictureSize>& sizes, const std::vector<Window>& windows,
                                   const RegionOptions& options, std::size_t threads) {
  std::vector<FoundMap> found(count);
  const std::size_t plane = static_cast<std::size_t>(height) * static_cast<std::size_t>(width);
  const auto work = [&](std::size_t begin, std::size_t end, std::size_t) {
    Finder finder(height, width, options);
    std::vector<Geometry> geometry;  // at most one: that of the last map
    for (std::size_t map = begin; map < end; ++map) {
      const PictureSize size = sizes[sizes.size() == 1 ? 0 : map];
      const Window window = windows[windows.size() == 1 ? 0 : map];
      if (geometry.empty() || !same(geometry.back().size, size) || !same(geometry.back().window, window)) {
        geometry.clear();
        geometry.emplace_back(size, window, height, width);
      }
      found[map] = finder(maps + map * plane, geometry.back());
    }
  };
  parallel_ranges(count, choose_threads(threads, count, width, sizes), work);
  return found;
}

}  // namespace nle
