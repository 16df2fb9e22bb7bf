#pragma once

#include <cstdint>
#include <cstring>

// Vector units by attribute, and 16-bit floating point read without help from the compiler.
#if defined(__GNUC__) && defined(__x86_64__)
#include <immintrin.h>
#define NLE_AVX2 __attribute__((target("avx2,fma,f16c")))
// Without fused multiply-add: results equal the definition in NumPy bit for bit.
#define NLE_AVX2_EXACT __attribute__((target("avx2,f16c,popcnt")))
#endif
#if defined(__GNUC__)
// A row function takes on the vector unit of the function it is inlined into, so it must be inlined.
#define NLE_INLINE inline __attribute__((always_inline))
#else
#define NLE_INLINE inline
#endif

namespace nle {

struct Half {
  std::uint16_t bits;
};
struct Brain {
  std::uint16_t bits;
};

NLE_INLINE std::uint32_t to_bits(float value) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}
NLE_INLINE float from_bits(std::uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

NLE_INLINE float widen(float value) { return value; }
NLE_INLINE float widen(Brain value) { return from_bits(std::uint32_t{value.bits} << 16); }
// Branch-free, so that it vectorises: rebias the exponent; infinities and NaN take the rest of the way; a subnormal
// is read with the exponent of the smallest normal number, which is then taken off (exact, and no float32 subnormal).
NLE_INLINE float widen(Half value) {
  const std::uint32_t magnitude = std::uint32_t{value.bits & 0x7fffu} << 13;
  const std::uint32_t normal = magnitude + (magnitude >= (31u << 23) ? 224u << 23 : 112u << 23);
  const std::uint32_t subnormal = to_bits(from_bits(magnitude + (113u << 23)) - from_bits(113u << 23));
  const std::uint32_t is_subnormal = magnitude < (1u << 23) ? ~0u : 0u;
  const std::uint32_t sign = std::uint32_t{value.bits & 0x8000u} << 16;
  return from_bits(sign | (subnormal & is_subnormal) | (normal & ~is_subnormal));
}

}  // namespace nle
