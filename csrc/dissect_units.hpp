#pragma once

#include <cstdint>
#include <vector>

#include "narrow.hpp"

// What network dissection does to one map, for each vector unit; dissect.cpp puts it together. All give the same bits:
// sums are of integers, and values are computed in the same order with the same rounding.
#ifdef NLE_AVX2
#define NLE_AVX512_EXACT __attribute__((target("avx512f,avx512bw,avx512vl,avx512vpopcntdq,avx2,f16c,popcnt")))
#endif

namespace nle {

constexpr std::int64_t kWord = 64;
// Lines of interpolated values are padded to whole vectors; what stands there is masked out later.
constexpr std::int64_t kLanes = 16;

NLE_INLINE std::int64_t ones(std::uint64_t word) {
#if defined(__GNUC__)
  return __builtin_popcountll(word);
#else
  word -= (word >> 1) & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  return static_cast<std::int64_t>((((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56);
#endif
}

// Where the centers of `side` pixels lie among `length` positions: bilinear, half-pixel centers, clamped edges.
struct Axis {
  std::int64_t length;
  std::vector<std::int32_t> low, high;  // padded to whole vectors
  std::vector<float> share;             // of `high`

  Axis(std::int64_t side, std::int64_t positions);
};

// `line[x]` is the row's value at pixel x; `compare` sets bit x of `bits`, which holds zeros, where
// low[x] + delta[x] * share exceeds the threshold; `ones_of_both` counts the bits that both have.
struct Generic {
  static NLE_INLINE void stretch(const float* row, const Axis& axis, float* line) {
    for (std::size_t x = 0; x < axis.low.size(); ++x) {
      const float low = row[axis.low[x]];
      line[x] = low + (row[axis.high[x]] - low) * axis.share[x];
    }
  }
  static NLE_INLINE void compare(const float* low, const float* delta, float share, float threshold, std::int64_t line,
                                 std::uint64_t* bits) {
    for (std::int64_t x = 0; x < line; ++x) {
      const float value = low[x] + delta[x] * share;
      bits[x / kWord] |= std::uint64_t{value > threshold} << (x % kWord);
    }
  }
  static NLE_INLINE std::int64_t ones_of_both(const std::uint64_t* a, const std::uint64_t* b, std::int64_t count) {
    std::int64_t total = 0;
    for (std::int64_t w = 0; w < count; ++w) total += ones(a[w] & b[w]);
    return total;
  }
};

#ifdef NLE_AVX2
struct Avx2 {
  NLE_AVX2_EXACT static inline void stretch(const float* row, const Axis& axis, float* line) {
    for (std::size_t x = 0; x < axis.low.size(); x += 8) {
      const auto* at = reinterpret_cast<const __m256i*>(axis.low.data() + x);
      const auto* next = reinterpret_cast<const __m256i*>(axis.high.data() + x);
      const __m256 low = _mm256_i32gather_ps(row, _mm256_loadu_si256(at), 4);
      const __m256 high = _mm256_i32gather_ps(row, _mm256_loadu_si256(next), 4);
      const __m256 rise = _mm256_mul_ps(_mm256_sub_ps(high, low), _mm256_loadu_ps(axis.share.data() + x));
      _mm256_storeu_ps(line + x, _mm256_add_ps(low, rise));
    }
  }
  NLE_AVX2_EXACT static inline void compare(const float* low, const float* delta, float share, float threshold,
                                            std::int64_t line, std::uint64_t* bits) {
    const __m256 shares = _mm256_set1_ps(share), thresholds = _mm256_set1_ps(threshold);
    for (std::int64_t x = 0; x < line; x += 8) {
      const __m256 value = _mm256_add_ps(_mm256_loadu_ps(low + x), _mm256_mul_ps(_mm256_loadu_ps(delta + x), shares));
      const int mask = _mm256_movemask_ps(_mm256_cmp_ps(value, thresholds, _CMP_GT_OQ));
      bits[x / kWord] |= static_cast<std::uint64_t>(static_cast<unsigned>(mask)) << (x % kWord);
    }
  }
  NLE_AVX2_EXACT static inline std::int64_t ones_of_both(const std::uint64_t* a, const std::uint64_t* b,
                                                         std::int64_t count) {
    return Generic::ones_of_both(a, b, count);
  }
};

struct Avx512 {
  NLE_AVX512_EXACT static inline void stretch(const float* row, const Axis& axis, float* line) {
    // Sixteen positions or fewer are one register, which needs no memory to look up.
    const bool few = axis.length <= kLanes;
    const auto inside = static_cast<__mmask16>(few ? (1u << axis.length) - 1 : 0);
    const __m512 whole = _mm512_maskz_loadu_ps(inside, row);
    for (std::size_t x = 0; x < axis.low.size(); x += 16) {
      const __m512i at = _mm512_loadu_si512(axis.low.data() + x), next = _mm512_loadu_si512(axis.high.data() + x);
      const __m512 low = few ? _mm512_permutexvar_ps(at, whole) : _mm512_i32gather_ps(at, row, 4);
      const __m512 high = few ? _mm512_permutexvar_ps(next, whole) : _mm512_i32gather_ps(next, row, 4);
      const __m512 rise = _mm512_mul_ps(_mm512_sub_ps(high, low), _mm512_loadu_ps(axis.share.data() + x));
      _mm512_storeu_ps(line + x, _mm512_add_ps(low, rise));
    }
  }
  NLE_AVX512_EXACT static inline void compare(const float* low, const float* delta, float share, float threshold,
                                              std::int64_t line, std::uint64_t* bits) {
    const __m512 shares = _mm512_set1_ps(share), thresholds = _mm512_set1_ps(threshold);
    for (std::int64_t x = 0; x < line; x += 16) {
      const __m512 value = _mm512_add_ps(_mm512_loadu_ps(low + x), _mm512_mul_ps(_mm512_loadu_ps(delta + x), shares));
      const __mmask16 mask = _mm512_cmp_ps_mask(value, thresholds, _CMP_GT_OQ);
      bits[x / kWord] |= std::uint64_t{mask} << (x % kWord);
    }
  }
  NLE_AVX512_EXACT static inline std::int64_t ones_of_both(const std::uint64_t* a, const std::uint64_t* b,
                                                           std::int64_t count) {
    __m512i total = _mm512_setzero_si512();
    for (std::int64_t w = 0; w < count; w += 8) {
      const auto rest = static_cast<__mmask8>(count - w < 8 ? (1u << (count - w)) - 1 : 0xffu);
      const __m512i both =
          _mm512_and_si512(_mm512_maskz_loadu_epi64(rest, a + w), _mm512_maskz_loadu_epi64(rest, b + w));
      total = _mm512_add_epi64(total, _mm512_popcnt_epi64(both));
    }
    return _mm512_reduce_add_epi64(total);
  }
};
#endif

}  // namespace nle
