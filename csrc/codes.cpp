#include "codes.hpp"

#include <algorithm>
#include <functional>
#include <vector>

namespace nle {
namespace {

// Positions that are read together: their projections of one feature are one line of the cache.
constexpr std::size_t kLine = 16;

}  // namespace

void sparse_codes(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                  float* codes) {
  std::vector<float> columns(kLine * features), sorted(features);
  for (std::size_t first = 0; first < positions; first += kLine) {
    const std::size_t width = std::min(kLine, positions - first);
    std::size_t counts[kLine] = {};
    for (std::size_t j = 0; j < features; ++j) {
      const float* row = projections + j * positions + first;
      for (std::size_t i = 0; i < width; ++i) {
        // Written always and counted only where it is positive: no branch that the values decide.
        columns[i * features + counts[i]] = row[i];
        counts[i] += row[i] > 0.0f;
      }
    }
    float least[kLine];        // the smallest that is kept
    std::size_t equal[kLine];  // how many of that size are
    for (std::size_t i = 0; i < width; ++i) {
      const float* column = columns.data() + i * features;
      least[i] = 0.0f;
      equal[i] = 0;
      if (counts[i] <= active) continue;
      std::copy(column, column + counts[i], sorted.begin());
      const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(active) - 1;
      std::nth_element(sorted.begin(), last, sorted.begin() + static_cast<std::ptrdiff_t>(counts[i]),
                       std::greater<float>());
      least[i] = *last;
      equal[i] = static_cast<std::size_t>(std::count(sorted.begin(), last + 1, *last));
    }
    for (std::size_t j = 0; j < features; ++j) {
      const float* row = projections + j * positions + first;
      float* kept = codes + j * positions + first;
      for (std::size_t i = 0; i < width; ++i) {
        const float value = row[i];
        bool keep = value > least[i];
        if (value == least[i] && equal[i] > 0) {
          keep = true;
          --equal[i];
        }
        kept[i] = keep ? value : 0.0f;
      }
    }
  }
}

void reconstruct(const float* codes, const float* directions, std::size_t features, std::size_t channels,
                 std::size_t positions, float* maps) {
  std::vector<float> sums(kLine * channels);
  for (std::size_t first = 0; first < positions; first += kLine) {
    const std::size_t width = std::min(kLine, positions - first);
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (std::size_t j = 0; j < features; ++j) {
      const float* row = codes + j * positions + first;
      const float* direction = directions + j * channels;
      for (std::size_t i = 0; i < width; ++i) {
        const float code = row[i];
        if (code == 0.0f) continue;
        float* sum = sums.data() + i * channels;
        for (std::size_t c = 0; c < channels; ++c) sum[c] += code * direction[c];
      }
    }
    for (std::size_t c = 0; c < channels; ++c) {
      for (std::size_t i = 0; i < width; ++i) maps[c * positions + first + i] = sums[i * channels + c];
    }
  }
}

}  // namespace nle
