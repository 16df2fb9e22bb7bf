// Rows of scores for any processor: the compiler vectorises the named reductions for its baseline (SSE2, NEON).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>

#include "narrow.hpp"

namespace nle::generic {

using std::int64_t;

// Values that go through float32 lanes before they go to a double: with four lanes or more a sum stays within 1e-5 of
// the exact one (relative to the sum of the magnitudes) at any number of positions.
constexpr int64_t kBlock = 512;

// The values of one row: activations, or their products with the gradients.
template <class T>
struct Plain {
  const T* activations;
  NLE_INLINE float operator()(int64_t i) const { return widen(activations[i]); }
};
template <class T>
struct Product {
  const T* activations;
  const T* gradients;
  NLE_INLINE float operator()(int64_t i) const { return widen(activations[i]) * widen(gradients[i]); }
};

template <class Values>
NLE_INLINE double row_sum(Values values, int64_t count) {
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    float block = 0;
#pragma omp simd reduction(+ : block)
    for (int64_t i = begin; i < end; ++i) block += values(i);
    total += block;
  }
  return total;
}

// `poison` is 0, or NaN where a value is not finite: x * 0 is NaN exactly for those, and unlike in a comparison NaN
// stays in a sum.
struct Range {
  float low, high, poison;
};

template <class Values>
NLE_INLINE Range row_range(Values values, int64_t count) {
  float low = INFINITY, high = -INFINITY, poison = 0;
#pragma omp simd reduction(min : low) reduction(max : high) reduction(+ : poison)
  for (int64_t i = 0; i < count; ++i) {
    const float value = values(i);
    low = value < low ? value : low;
    high = value > high ? value : high;
    poison += value * 0.0f;
  }
  return {low, high, poison};
}

template <class T, bool kConstant>
void sum_rows(const T* activations, const T* gradients, int64_t neurons, int64_t positions, float* sums) {
  for (int64_t c = 0; c < neurons; ++c) {
    const T* row = activations + c * positions;
    const double sum = kConstant ? row_sum(Plain<T>{row}, positions) * widen(gradients[c])
                                 : row_sum(Product<T>{row, gradients + c * positions}, positions);
    sums[c] = static_cast<float>(sum);
  }
}

template <class T, bool kConstant>
void range_rows(const T* activations, const T* gradients, int64_t neurons, int64_t positions, float* high, float* low) {
  for (int64_t c = 0; c < neurons; ++c) {
    const T* row = activations + c * positions;
    Range range;
    if constexpr (kConstant) {
      range = row_range(Plain<T>{row}, positions);
      const float weight = widen(gradients[c]), one = range.low * weight, other = range.high * weight;
      range = {std::min(one, other), std::max(one, other), range.poison + one * 0.0f + other * 0.0f};
    } else {
      range = row_range(Product<T>{row, gradients + c * positions}, positions);
    }
    high[c] = std::max(range.high, 0.0f) + range.poison;
    low[c] = std::min(range.low, 0.0f) + range.poison;
  }
}

inline double positive_sum(const float* scores, int64_t count) {
  double total = 0;
  for (int64_t begin = 0; begin < count; begin += kBlock) {
    const int64_t end = std::min(count, begin + kBlock);
    float block = 0;
#pragma omp simd reduction(+ : block)
    for (int64_t i = begin; i < end; ++i) block += scores[i] > 0 ? scores[i] : 0.0f;
    total += block;
  }
  return total;
}

inline bool all_finite(const float* scores, int64_t count) {
  return row_range(Plain<float>{scores}, count).poison == 0;
}

// The first index from `begin` on with sign * scores[i] > level, or `count`.
inline int64_t next_above(const float* scores, float sign, float level, int64_t begin, int64_t count) {
  while (begin < count && !(sign * scores[begin] > level)) ++begin;
  return begin;
}

}  // namespace nle::generic
