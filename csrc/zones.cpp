#include "zones.hpp"

#include <algorithm>
#include <vector>

namespace nle {
namespace {

// Words that are no zones, by their place in schema.PLACES.
constexpr int kMost = 9, kEntire = 10, kSpread = 11;

// Bit 4 * row + column for each sixteenth of a zone, in the order of schema.PLACES.
constexpr std::array<std::uint16_t, 9> kZones = {0x3333, 0xCCCC, 0x00FF, 0xFF00, 0x0660,
                                                 0x0033, 0x00CC, 0x3300, 0xCC00};
constexpr int kLargest = 12;  // sixteenths: 75 % of the picture

struct Choice {
  int first, second;
  std::uint16_t shared;  // sixteenths that are in both
  int sixteenths;        // in either
};

int count_bits(unsigned mask) {
  int count = 0;
  for (; mask != 0; mask &= mask - 1) ++count;
  return count;
}

// What may be chosen, the best first.
std::vector<Choice> make_choices() {
  std::vector<Choice> choices;
  const int count = static_cast<int>(kZones.size());
  for (int zone = 0; zone < count; ++zone) choices.push_back({zone, -1, 0, count_bits(kZones[zone])});
  for (int first = 0; first < count; ++first) {
    for (int second = first + 1; second < count; ++second) {
      const auto shared = static_cast<std::uint16_t>(kZones[first] & kZones[second]);
      const int sixteenths = count_bits(static_cast<unsigned>(kZones[first] | kZones[second]));
      if (sixteenths <= kLargest) choices.push_back({first, second, shared, sixteenths});
    }
  }
  std::stable_sort(choices.begin(), choices.end(),
                   [](const Choice& a, const Choice& b) { return a.sixteenths < b.sixteenths; });
  return choices;
}

std::int64_t held_by(std::uint16_t zone, const SixteenthAreas& on) {
  std::int64_t held = 0;
  for (std::size_t i = 0; i < on.size(); ++i) held += (zone >> i & 1) * static_cast<std::int64_t>(on[i]);
  return held;
}

// min(value, cut) - cut, in fewer instructions where a vector unit has no minimum.
inline std::int32_t before(std::int32_t value, std::int32_t cut) { return (value - cut) & ((value - cut) >> 31); }

// Half pixels of runs [begin, end) in each quarter of the width.
std::array<std::int32_t, 4> count_quarters(const Runs& runs, int begin, int end, const QuarterCuts& cuts) {
  const std::int32_t* x = runs.x.data();
  const std::int32_t first = cuts[1], second = cuts[2], third = cuts[3];
  // Of whole rows and unsigned: up to 2^31; of one quarter it is less.
  std::uint32_t before_first = 0, before_second = 0, before_third = 0, all = 0;
  for (int run = begin; run < end; ++run) {
    const std::int32_t from = 2 * x[2 * run], to = 2 * x[2 * run + 1];
    before_first += before(to, first) - before(from, first);
    before_second += before(to, second) - before(from, second);
    before_third += before(to, third) - before(from, third);
    all += to - from;
  }
  const auto area = [](std::uint32_t found) { return static_cast<std::int32_t>(found); };
  return {area(before_first), area(before_second - before_first), area(before_third - before_second),
          area(all - before_third)};
}

// The first of the runs from `begin` on that is not above the row. Without a branch that the values decide.
int first_of_row(const Runs& runs, int begin, int row) {
  const std::int32_t* y = runs.y.data() + begin;
  const std::int32_t* first = y;
  int left = runs.count - begin;
  while (left > 1) {
    const int half = left / 2;
    first += first[half - 1] < row ? half : 0;
    left -= half;
  }
  return begin + static_cast<int>(first - y) + (left == 1 && *first < row ? 1 : 0);
}

}  // namespace

SixteenthAreas count_sixteenths(const Runs& runs, const QuarterCuts& cuts_x, const QuarterCuts& cuts_y) {
  SixteenthAreas areas{};
  int begin = 0;
  for (int band = 0; band < 4; ++band) {
    // Rows of which at least the upper half is in the band.
    const int end = first_of_row(runs, begin, (cuts_y[band + 1] + 1) / 2);
    const auto both = count_quarters(runs, begin, end, cuts_x);
    for (int k = 0; k < 4; ++k) areas[4 * band + k] += 2 * both[k];
    if (cuts_y[band + 1] % 2 != 0) {  // of the last one the lower half is in the next
      const auto half = count_quarters(runs, first_of_row(runs, begin, cuts_y[band + 1] / 2), end, cuts_x);
      for (int k = 0; k < 4; ++k) {
        areas[4 * band + k] -= half[k];
        areas[4 * band + 4 + k] += half[k];
      }
    }
    begin = end;
  }
  return areas;
}

QuarterCuts quarter_cuts(int size) {
  // k/4 of the size, at the nearest edge of a pixel or through the middle of one.
  const auto cut = [size](int k) {
    const int quarters = k * size;
    return quarters % 4 == 2 ? quarters / 2 : 2 * ((quarters + 1) / 4);
  };
  return {0, cut(1), cut(2), cut(3), 2 * size};
}

ChosenPlaces places_by_zone(const SixteenthAreas& on, PictureSize size) {
  static const std::vector<Choice> choices = make_choices();
  const std::int64_t total = held_by(0xFFFF, on);
  const std::int64_t whole = 4 * static_cast<std::int64_t>(size.width) * size.height;
  if (total == 0) return {};
  if (100 * total >= 85 * whole) return {kEntire, -1};
  if (100 * total >= 60 * whole) return {kMost, -1};

  std::array<std::int64_t, kZones.size()> held{};
  for (std::size_t zone = 0; zone < kZones.size(); ++zone) held[zone] = held_by(kZones[zone], on);
  for (const Choice& choice : choices) {
    std::int64_t together = held[static_cast<std::size_t>(choice.first)];
    if (choice.second >= 0) {
      const std::int64_t other = held[static_cast<std::size_t>(choice.second)];
      if (5 * std::min(together, other) < total) continue;
      together += other - held_by(choice.shared, on);
    }
    if (10 * together >= 7 * total) return {choice.first, choice.second};
  }
  return {kSpread, -1};
}

}  // namespace nle
