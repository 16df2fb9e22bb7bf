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
NLE_INLINE bool find_thresholds(const float* block, std::size_t features, int active, float* thresholds) {
  float low[kLine] = {}, high[kLine] = {};
  int counts[kLine] = {}, open[kLine];
  for (std::size_t j = 0; j < features; ++j) {
    const float* row = block + j * kLine;
#pragma omp simd
    for (std::size_t i = 0; i < kLine; ++i) {
      high[i] = row[i] > high[i] ? row[i] : high[i];
      counts[i] += row[i] > 0.0f;
    }
  }
  int left = 0;
  for (std::size_t i = 0; i < kLine; ++i) {
    thresholds[i] = 0.0f;
    open[i] = counts[i] > active;
    left += open[i];
  }
  for (int step = 0; step < kSteps && left > 0; ++step) {
    float middle[kLine];
    int above[kLine] = {};
#pragma omp simd
    for (std::size_t i = 0; i < kLine; ++i) middle[i] = 0.5f * (low[i] + high[i]);
    for (std::size_t j = 0; j < features; ++j) {
      const float* row = block + j * kLine;
#pragma omp simd
      for (std::size_t i = 0; i < kLine; ++i) above[i] += row[i] > middle[i];
    }
    left = 0;
#pragma omp simd reduction(+ : left)
    for (std::size_t i = 0; i < kLine; ++i) {
      low[i] = above[i] > active ? middle[i] : low[i];
      high[i] = above[i] > active ? high[i] : middle[i];
      thresholds[i] = open[i] && above[i] == active ? middle[i] : thresholds[i];
      open[i] = open[i] && above[i] != active;
      left += open[i];
    }
  }
  return left == 0;
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

// Lines of `kWidth` positions; the last begins so early that it is whole, for what is sparse stays as it is.
template <std::size_t kWidth>
NLE_INLINE void select_lines(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                             float* codes) {
  std::vector<float> block(kLine * features), kept, sorted;
  for (std::size_t done = 0; done < positions; done += kWidth) {
    const std::size_t first = std::min(done, positions - kWidth);
    for (std::size_t j = 0; j < features; ++j) {
      std::copy_n(projections + j * positions + first, kWidth, block.data() + j * kLine);
    }
    float thresholds[kLine];
    if (find_thresholds(block.data(), features, static_cast<int>(active), thresholds)) {
      for (std::size_t j = 0; j < features; ++j) {
        const float* row = block.data() + j * kLine;
        float* code = codes + j * positions + first;
#pragma omp simd
        for (std::size_t i = 0; i < kWidth; ++i) code[i] = row[i] > thresholds[i] ? row[i] : 0.0f;
      }
    } else {
      kept.resize(block.size());
      keep_exactly(block.data(), features, active, kept.data(), sorted);
      for (std::size_t j = 0; j < features; ++j) {
        std::copy_n(kept.data() + j * kLine, kWidth, codes + j * positions + first);
      }
    }
  }
}

NLE_INLINE void select(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                       float* codes) {
  if (positions >= kLine) {
    select_lines<kLine>(projections, features, positions, active, codes);
  } else {
    select_lines<1>(projections, features, positions, active, codes);
  }
}

NLE_INLINE void sum_products(const float* maps, const float* slopes, Spread spread, std::size_t channels,
                             std::size_t positions, float* sums) {
  for (std::size_t c = 0; c < channels; ++c) {
    const float* map = maps + c * positions;
    const float* slope = spread == Spread::own ? slopes + c * positions : slopes;
    float sum = 0.0f;
    if (spread == Spread::constant) {
#pragma omp simd reduction(+ : sum)
      for (std::size_t p = 0; p < positions; ++p) sum += map[p];
      sum *= slopes[c];
    } else {
#pragma omp simd reduction(+ : sum)
      for (std::size_t p = 0; p < positions; ++p) sum += map[p] * slope[p];
    }
    sums[c] = sum;
  }
}

void select_generic(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                    float* codes) {
  select(projections, features, positions, active, codes);
}
void sum_generic(const float* maps, const float* slopes, Spread spread, std::size_t channels, std::size_t positions,
                 float* sums) {
  sum_products(maps, slopes, spread, channels, positions, sums);
}
#ifdef NLE_AVX2
NLE_AVX2 void select_avx2(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                          float* codes) {
  select(projections, features, positions, active, codes);
}
NLE_AVX2 void sum_avx2(const float* maps, const float* slopes, Spread spread, std::size_t channels,
                       std::size_t positions, float* sums) {
  sum_products(maps, slopes, spread, channels, positions, sums);
}
#else
constexpr auto select_avx2 = select_generic;
constexpr auto sum_avx2 = sum_generic;
#endif

template <class Function>
Function choose(Function generic, [[maybe_unused]] Function avx2) {
#ifdef NLE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
  return generic;
}

}  // namespace

void sparse_codes(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                  float* codes) {
  static const auto select = choose(select_generic, select_avx2);
  select(projections, features, positions, std::min(active, features), codes);
}

void weighed(const float* maps, const float* slopes, Spread spread, std::size_t channels, std::size_t positions,
             float* sums) {
  static const auto sum = choose(sum_generic, sum_avx2);
  sum(maps, slopes, spread, channels, positions, sums);
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
