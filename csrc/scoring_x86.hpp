// Rows of scores with AVX2 and with AVX-512: lanes here, and over them twice the same source, scoring_rows.inc.
#pragma once

#include "narrow.hpp"

#ifdef NLE_AVX2
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>

#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the undefined vectors inside its own AVX-512 intrinsics for a mistake.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#define NLE_AVX512 __attribute__((target("avx512f,avx2,fma,f16c")))

namespace nle::avx2 {

using Lanes = __m256;
constexpr std::int64_t kLanes = 8;

NLE_AVX2 NLE_INLINE Lanes fill(float value) { return _mm256_set1_ps(value); }
NLE_AVX2 NLE_INLINE Lanes load(const float* values) { return _mm256_loadu_ps(values); }
NLE_AVX2 NLE_INLINE Lanes load(const Half* values) {
  return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
}
NLE_AVX2 NLE_INLINE Lanes load(const Brain* values) {
  const __m256i wide = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(values)));
  return _mm256_castsi256_ps(_mm256_slli_epi32(wide, 16));
}
NLE_AVX2 NLE_INLINE Lanes add(Lanes a, Lanes b) { return _mm256_add_ps(a, b); }
NLE_AVX2 NLE_INLINE Lanes multiply(Lanes a, Lanes b) { return _mm256_mul_ps(a, b); }
NLE_AVX2 NLE_INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) { return _mm256_fmadd_ps(a, b, c); }
NLE_AVX2 NLE_INLINE Lanes least(Lanes a, Lanes b) { return _mm256_min_ps(a, b); }
NLE_AVX2 NLE_INLINE Lanes most(Lanes a, Lanes b) { return _mm256_max_ps(a, b); }
// The last `count` lanes of `a`, before them those of `b`.
NLE_AVX2 NLE_INLINE Lanes last_of(Lanes a, Lanes b, std::int64_t count) {
  alignas(32) static constexpr std::int32_t kOnes[16] = {0, 0, 0, 0, 0, 0, 0, 0, -1, -1, -1, -1, -1, -1, -1, -1};
  const __m256i mask = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(kOnes + count));
  return _mm256_blendv_ps(b, a, _mm256_castsi256_ps(mask));
}
// Bit i is set where lane i of `a` is above that of `b`.
NLE_AVX2 NLE_INLINE unsigned above(Lanes a, Lanes b) {
  return static_cast<unsigned>(_mm256_movemask_ps(_mm256_cmp_ps(a, b, _CMP_GT_OQ)));
}
NLE_AVX2 NLE_INLINE __m256d to_double(Lanes a) {
  return _mm256_add_pd(_mm256_cvtps_pd(_mm256_castps256_ps128(a)), _mm256_cvtps_pd(_mm256_extractf128_ps(a, 1)));
}
NLE_AVX2 NLE_INLINE float lowest(Lanes a) {
  __m128 four = _mm_min_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  four = _mm_min_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_min_ss(four, _mm_movehdup_ps(four)));
}
NLE_AVX2 NLE_INLINE float highest(Lanes a) { return -lowest(_mm256_xor_ps(a, _mm256_set1_ps(-0.0f))); }
NLE_AVX2 NLE_INLINE float sum(Lanes a) {
  __m128 four = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  four = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(four, _mm_movehdup_ps(four)));
}
// The sums of eight rows at once, lane r that of rows[r].
NLE_AVX2 NLE_INLINE __m256 sums(const __m256* rows) {
  const __m256 ab = _mm256_hadd_ps(rows[0], rows[1]), cd = _mm256_hadd_ps(rows[2], rows[3]);
  const __m256 ef = _mm256_hadd_ps(rows[4], rows[5]), gh = _mm256_hadd_ps(rows[6], rows[7]);
  const __m256 low = _mm256_hadd_ps(ab, cd), high = _mm256_hadd_ps(ef, gh);
  return _mm256_add_ps(_mm256_permute2f128_ps(low, high, 0x20), _mm256_permute2f128_ps(low, high, 0x31));
}

}  // namespace nle::avx2

namespace nle::avx512 {

using Lanes = __m512;
constexpr std::int64_t kLanes = 16;

NLE_AVX512 NLE_INLINE Lanes fill(float value) { return _mm512_set1_ps(value); }
NLE_AVX512 NLE_INLINE Lanes load(const float* values) { return _mm512_loadu_ps(values); }
NLE_AVX512 NLE_INLINE Lanes load(const Half* values) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
}
NLE_AVX512 NLE_INLINE Lanes load(const Brain* values) {
  const __m512i wide = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(values)));
  return _mm512_castsi512_ps(_mm512_slli_epi32(wide, 16));
}
NLE_AVX512 NLE_INLINE Lanes add(Lanes a, Lanes b) { return _mm512_add_ps(a, b); }
NLE_AVX512 NLE_INLINE Lanes multiply(Lanes a, Lanes b) { return _mm512_mul_ps(a, b); }
NLE_AVX512 NLE_INLINE Lanes multiply_add(Lanes a, Lanes b, Lanes c) { return _mm512_fmadd_ps(a, b, c); }
NLE_AVX512 NLE_INLINE Lanes least(Lanes a, Lanes b) { return _mm512_min_ps(a, b); }
NLE_AVX512 NLE_INLINE Lanes most(Lanes a, Lanes b) { return _mm512_max_ps(a, b); }
NLE_AVX512 NLE_INLINE Lanes last_of(Lanes a, Lanes b, std::int64_t count) {
  return _mm512_mask_blend_ps(static_cast<__mmask16>(0xffffu << (kLanes - count)), b, a);
}
NLE_AVX512 NLE_INLINE unsigned above(Lanes a, Lanes b) { return _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ); }
NLE_AVX512 NLE_INLINE __m256 half(Lanes a, bool upper) {
  const __m512d pairs = _mm512_castps_pd(a);
  return _mm256_castpd_ps(upper ? _mm512_extractf64x4_pd(pairs, 1) : _mm512_castpd512_pd256(pairs));
}
NLE_AVX512 NLE_INLINE __m256d to_double(Lanes a) {
  return _mm256_add_pd(avx2::to_double(half(a, false)), avx2::to_double(half(a, true)));
}
NLE_AVX512 NLE_INLINE float lowest(Lanes a) { return avx2::lowest(_mm256_min_ps(half(a, false), half(a, true))); }
NLE_AVX512 NLE_INLINE float highest(Lanes a) { return avx2::highest(_mm256_max_ps(half(a, false), half(a, true))); }
NLE_AVX512 NLE_INLINE float sum(Lanes a) { return avx2::sum(_mm256_add_ps(half(a, false), half(a, true))); }
NLE_AVX512 NLE_INLINE __m256 sums(const __m512* rows) {
  __m256 halves[8];
  for (int row = 0; row < 8; ++row) halves[row] = _mm256_add_ps(half(rows[row], false), half(rows[row], true));
  return avx2::sums(halves);
}

}  // namespace nle::avx512

#define NLE_TARGET NLE_AVX2
namespace nle::avx2 {
#include "scoring_rows.inc"
}
#undef NLE_TARGET
#define NLE_TARGET NLE_AVX512
namespace nle::avx512 {
#include "scoring_rows.inc"
}
#undef NLE_TARGET
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif
