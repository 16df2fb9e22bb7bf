#include "removal.hpp"

#include <algorithm>
#include <vector>

#include "narrow.hpp"

namespace nle {
namespace {

// Neurons that are taken off in one pass over a class map.
constexpr std::size_t kTogether = 4;

NLE_INLINE void means(const ReluHead& head, float* means) {
  const std::size_t positions = head.positions, count = head.removed;
  std::vector<float> row(positions);
  float* left = row.data();
  const float share = 1.0f / static_cast<float>(positions);
  for (std::size_t c = 0; c < head.classes; ++c) {
    const float* weight = head.weight + c * count;
    const float* given = head.class_maps + c * positions;
    for (std::size_t first = 0; first < count; first += kTogether) {
      // Fewer than four: the last one again, with no weight.
      const float* maps[kTogether];
      float factors[kTogether];
      for (std::size_t i = 0; i < kTogether; ++i) {
        const std::size_t neuron = std::min(first + i, count - 1);
        maps[i] = head.maps + neuron * positions;
        factors[i] = first + i < count ? weight[neuron] : 0.0f;
      }
      const float *m0 = maps[0], *m1 = maps[1], *m2 = maps[2], *m3 = maps[3];
      const float w0 = factors[0], w1 = factors[1], w2 = factors[2], w3 = factors[3];
#pragma omp simd
      for (std::size_t p = 0; p < positions; ++p) {
        left[p] = given[p] - ((w0 * m0[p] + w1 * m1[p]) + (w2 * m2[p] + w3 * m3[p]));
      }
      given = left;
    }
    float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
    for (std::size_t p = 0; p < positions; ++p) sum += given[p] > 0.0f ? given[p] : 0.0f;
    means[c] = sum * share;
  }
}

using Means = void (*)(const ReluHead&, float*);
void means_generic(const ReluHead& head, float* found) { means(head, found); }
#ifdef NLE_AVX2
NLE_AVX2 void means_avx2(const ReluHead& head, float* found) { means(head, found); }
#endif

Means choose() {
#ifdef NLE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return means_avx2;
#endif
  return means_generic;
}

}  // namespace

void means_without(const ReluHead& head, float* means) {
  static const Means find_means = choose();
  find_means(head, means);
}

}  // namespace nle
