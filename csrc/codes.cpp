#include "codes.hpp"

#include <algorithm>
#include <functional>
#include <vector>

#include "narrow.hpp"

namespace nle {
namespace {

// Positions that are read together: their projections of one feature are one line of the cache.
constexpr std::size_t kLine = 16;

// Steps of the search below: equal projections, of which no threshold parts some from others, end it at the latest.
constexpr int kSteps = 40;

// For each position of a line of the cache a threshold above which `active` numbers lie, or all that are positive where
// those are fewer; false where there is none, because several are equal.
NLE_INLINE bool find_thresholds(const float* block, std::size_t features, float active, float* thresholds) {
  float low[kLine] = {}, high[kLine] = {}, counts[kLine] = {};
  for (std::size_t j = 0; j < features; ++j) {
    const float* row = block + j * kLine;
#pragma omp simd
    for (std::size_t i = 0; i < kLine; ++i) {
      high[i] = row[i] > high[i] ? row[i] : high[i];
      counts[i] += row[i] > 0.0f ? 1.0f : 0.0f;
    }
  }
  float done[kLine];
  bool all = true;
  for (std::size_t i = 0; i < kLine; ++i) {
    thresholds[i] = 0.0f;
    done[i] = counts[i] <= active ? 1.0f : 0.0f;
    all &= done[i] > 0.0f;
  }
  for (int step = 0; step < kSteps && !all; ++step) {
    float middle[kLine], above[kLine] = {};
#pragma omp simd
    for (std::size_t i = 0; i < kLine; ++i) middle[i] = 0.5f * (low[i] + high[i]);
    for (std::size_t j = 0; j < features; ++j) {
      const float* row = block + j * kLine;
#pragma omp simd
      for (std::size_t i = 0; i < kLine; ++i) above[i] += row[i] > middle[i] ? 1.0f : 0.0f;
    }
    all = true;
    for (std::size_t i = 0; i < kLine; ++i) {
      if (done[i] > 0.0f) continue;
      (above[i] > active ? low[i] : high[i]) = middle[i];
      if (above[i] == active) {
        thresholds[i] = middle[i];
        done[i] = 1.0f;
      }
      all &= done[i] > 0.0f;
    }
  }
  return all;
}

// The same one position after the other, of equal numbers those of the lowest features.
void keep_exactly(const float* block, std::size_t features, std::size_t active, float* kept,
                  std::vector<float>& sorted) {
  for (std::size_t i = 0; i < kLine; ++i) {
    sorted.clear();
    for (std::size_t j = 0; j < features; ++j) {
      if (block[j * kLine + i] > 0.0f) sorted.push_back(block[j * kLine + i]);
    }
    float least = 0.0f;
    std::ptrdiff_t equal = 0;
    if (sorted.size() > active) {
      const auto last = sorted.begin() + static_cast<std::ptrdiff_t>(active) - 1;
      std::nth_element(sorted.begin(), last, sorted.end(), std::greater<float>());
      least = *last;
      equal = std::count(sorted.begin(), last + 1, least);
    }
    for (std::size_t j = 0; j < features; ++j) {
      const float value = block[j * kLine + i];
      const bool keep = value > least || (value == least && equal-- > 0);
      kept[j * kLine + i] = keep ? value : 0.0f;
    }
  }
}

NLE_INLINE void select(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                       float* codes) {
  std::vector<float> block(kLine * features), kept, sorted;
  for (std::size_t first = 0; first < positions; first += kLine) {
    const std::size_t width = std::min(kLine, positions - first);
    for (std::size_t j = 0; j < features; ++j) {
      std::copy_n(projections + j * positions + first, width, block.data() + j * kLine);
    }
    float thresholds[kLine];
    if (find_thresholds(block.data(), features, static_cast<float>(active), thresholds)) {
      for (std::size_t j = 0; j < features; ++j) {
        float* row = block.data() + j * kLine;
#pragma omp simd
        for (std::size_t i = 0; i < kLine; ++i) row[i] = row[i] > thresholds[i] ? row[i] : 0.0f;
      }
    } else {
      kept.resize(block.size());
      keep_exactly(block.data(), features, active, kept.data(), sorted);
      block.swap(kept);
    }
    for (std::size_t j = 0; j < features; ++j) {
      std::copy_n(block.data() + j * kLine, width, codes + j * positions + first);
    }
  }
}

using Select = void (*)(const float*, std::size_t, std::size_t, std::size_t, float*);
void select_generic(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                    float* codes) {
  select(projections, features, positions, active, codes);
}
#ifdef NLE_AVX2
NLE_AVX2 void select_avx2(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                          float* codes) {
  select(projections, features, positions, active, codes);
}
#endif

Select choose() {
#ifdef NLE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return select_avx2;
#endif
  return select_generic;
}

}  // namespace

void sparse_codes(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                  float* codes) {
  static const Select select = choose();
  select(projections, features, positions, active, codes);
}

double weighed(const float* maps, const float* slopes, bool wide, std::size_t channels, std::size_t positions) {
  double total = 0.0;
  for (std::size_t c = 0; c < channels; ++c) {
    const float* map = maps + c * positions;
    float sum = 0.0f;
    if (wide) {
      const float* slope = slopes + c * positions;
#pragma omp simd reduction(+ : sum)
      for (std::size_t p = 0; p < positions; ++p) sum += map[p] * slope[p];
      total += sum;
    } else {
#pragma omp simd reduction(+ : sum)
      for (std::size_t p = 0; p < positions; ++p) sum += map[p];
      total += static_cast<double>(sum) * slopes[c];
    }
  }
  return total;
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
