#include "regions.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <thread>

#include "crossings.hpp"
#include "parallel.hpp"

namespace nle {
namespace {

// Map coordinate of pixel `index`: half-pixel centres, clamped to the map. Every float64 operation in this file is
// written in the order of ops/reference.py, so that both give the same bits; the build forbids fused multiply-adds.
double coordinate(int index, double low, double high, int length) {
  const double u = (index + 0.5 - low) / (high - low) * length - 0.5;
  return std::min(std::max(u, 0.0), length - 1.0);
}

int base_of(double u, int length) { return std::max(0, std::min(static_cast<int>(u), length - 2)); }

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
};

// All that depends on the picture and the window but not on the map; made once for maps that share them.
struct Geometry {
  Geometry(PictureSize picture_size, const Window& map_window, int map_height, int map_width)
      : size(picture_size),
        window(map_window),
        box(visible_pixels(picture_size, map_window)),
        cells(make_cells(picture_size, box)),
        pixels_per_column((map_window.right - map_window.left) / map_width) {
    row_fractions.assign(static_cast<std::size_t>(box.y1), 0.0);
    for (int y = box.y0; y < box.y1; ++y) {
      const double v = coordinate(y, window.top, window.bottom, map_height);
      const int map_row = base_of(v, map_height);
      if (bands.empty() || bands.back().map_row != map_row) bands.push_back({map_row, y, y});
      bands.back().to = y + 1;
      row_fractions[y] = v - map_row;
    }
    fractions.assign(static_cast<std::size_t>(box.x1) + 1, 0.0);  // one more to be read, see Fractions
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

  PictureSize size;
  Window window;
  PixelBox box;
  CellGrid cells;
  double pixels_per_column;
  std::vector<Segment> segments;
  std::vector<Band> bands;
  std::vector<double> row_fractions;  // of row y; those above box.y0 are not used
  std::vector<double> fractions;      // of pixel x; those left of box.x0 are not used
  std::vector<double> fraction_sums;  // over the pixels before x
};

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

  std::vector<FoundRegion> operator()(const float* map, const Geometry& geometry);

 private:
  struct RunValues {
    double sum, peak;
  };

  void select_patches(const float* map, int row);
  void find_ends(const Band& band);
  void scan_row(const Band& band, int y);
  void label_row(int y, int above, int here);
  void tally_row(int y, int here);
  int find(int label);
  int unite(int a, int b);
  std::vector<FoundRegion> collect();

  int height_, width_;
  RegionOptions options_;
  const Geometry* geometry_ = nullptr;
  double level_ = 0.0;   // on where value > level_
  double margin_ = 0.0;  // beyond any rounding error of an interpolated value
  std::vector<Patch> patches_;
  std::vector<std::int32_t> from_, to_;  // of each patch and row of the band, see RowEnds
  std::vector<double> start_, slope_;
  Runs runs_;
  std::vector<int> labels_;        // of each run
  std::vector<RunValues> values_;  // of each run of the current row
  std::vector<Tally> tallies_;     // of each label
  std::vector<int> order_;
  std::vector<Point> polygon_;
  Simplifier simplify_;
};

std::vector<FoundRegion> Finder::operator()(const float* map, const Geometry& geometry) {
  geometry_ = &geometry;
  const auto [low, high] = std::minmax_element(map, map + static_cast<std::ptrdiff_t>(height_) * width_);
  if (!(*high > 0.0f)) return {};
  level_ = options_.threshold * static_cast<double>(*high);
  margin_ = 1e-12 * std::max(static_cast<double>(*high), -static_cast<double>(*low));
  runs_.count = 0;
  tallies_.clear();

  int above = 0;
  for (const Band& band : geometry.bands) {
    select_patches(map, band.map_row);
    find_ends(band);
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
void Finder::select_patches(const float* map, int row) {
  const float* upper = map + static_cast<std::ptrdiff_t>(row) * width_;
  const float* lower = map + static_cast<std::ptrdiff_t>(std::min(row + 1, height_ - 1)) * width_;
  patches_.clear();
  for (const Segment& segment : geometry_->segments) {
    const int next = std::min(segment.column + 1, width_ - 1);
    const double a = upper[segment.column], b = upper[next], c = lower[segment.column], d = lower[next];
    const auto [low, high] = std::minmax({a, b, c, d});
    if (high <= level_ - margin_) continue;
    patches_.push_back({segment.from, segment.to, segment.zero, a, c - a, b, d - b, low > level_ + margin_});
  }
}

void Finder::find_ends(const Band& band) {
  const int rows = band.to - band.from;
  const std::size_t needed = patches_.size() * static_cast<std::size_t>(rows);
  if (needed > from_.size()) {
    from_.resize(needed);
    to_.resize(needed);
    start_.resize(needed);
    slope_.resize(needed);
  }
  const Fractions fractions{geometry_->fractions.data(), geometry_->row_fractions.data() + band.from, rows,
                            geometry_->pixels_per_column};
  std::size_t at = 0;
  for (const Patch& patch : patches_) {
    find_row_ends(patch, fractions, level_, {&from_[at], &to_[at], &start_[at], &slope_[at]});
    at += static_cast<std::size_t>(rows);
  }
}

// Joins what the patches of a row have on into runs.
void Finder::scan_row(const Band& band, int y) {
  const double* fractions = geometry_->fractions.data();
  const double* sums = geometry_->fraction_sums.data();
  runs_.reserve(static_cast<int>(patches_.size()));
  if (labels_.size() < runs_.y.size()) labels_.resize(runs_.y.size());
  if (values_.size() < patches_.size()) values_.resize(patches_.size());
  const int first = runs_.count;
  RunValues* value = nullptr;  // of the last run of this row
  int open_end = -1;           // where the last run of this row ends so far
  const auto rows = static_cast<std::size_t>(band.to - band.from);
  const std::size_t end = patches_.size() * rows;
  for (auto at = static_cast<std::size_t>(y - band.from); at < end; at += rows) {
    const int from = from_[at];
    const int to = to_[at];
    if (from == to) continue;
    const double r0 = start_[at];
    const double slope = slope_[at];
    // Arithmetic series: the fractions of the pixels were summed once per picture.
    const double sum = (to - from) * r0 + slope * (sums[to] - sums[from]);
    const double peak = r0 + slope * fractions[slope > 0.0 ? to - 1 : from];
    if (from == open_end) {
      runs_.extend(to);
      value->sum += sum;
      value->peak = std::max(value->peak, peak);
    } else {
      value = &values_[static_cast<std::size_t>(runs_.add(y, from, to) - first)];
      *value = {sum, peak};
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

std::vector<FoundRegion> Finder::collect() {
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
  std::vector<FoundRegion> regions;
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
  return regions;
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

std::vector<std::vector<FoundRegion>> find_regions(const float* maps, std::size_t count, int height, int width,
                                                   const std::vector<PictureSize>& sizes,
                                                   const std::vector<Window>& windows, const RegionOptions& options,
                                                   std::size_t threads) {
  std::vector<std::vector<FoundRegion>> found(count);
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
