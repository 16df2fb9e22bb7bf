#include "heads.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "narrow.hpp"

namespace nle {
namespace {

// Neurons that are taken off in one pass over a class map: their maps stay in the first cache.
constexpr std::size_t kTogether = 8;

// What so many neurons leave of a class map.
NLE_INLINE void take(const float* given, const float* const* maps, const float* factors, std::size_t positions,
                     float* left) {
#pragma omp simd
  for (std::size_t p = 0; p < positions; ++p) {
    float rest = given[p];
    for (std::size_t i = 0; i < kTogether; ++i) rest -= factors[i] * maps[i][p];
    left[p] = rest;
  }
}

// The sum of what is positive of what `N` neurons leave of it.
template <std::size_t N>
NLE_INLINE float take_last(const float* given, const float* const* maps, const float* factors, std::size_t positions) {
  float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
  for (std::size_t p = 0; p < positions; ++p) {
    float rest = given[p];
    for (std::size_t i = 0; i < N; ++i) rest -= factors[i] * maps[i][p];
    sum += rest > 0.0f ? rest : 0.0f;
  }
  return sum;
}

NLE_INLINE float take_last(std::size_t count, const float* given, const float* const* maps, const float* factors,
                           std::size_t positions) {
  switch (count) {
    case 0:
      return take_last<0>(given, maps, factors, positions);
    case 1:
      return take_last<1>(given, maps, factors, positions);
    case 2:
      return take_last<2>(given, maps, factors, positions);
    case 3:
      return take_last<3>(given, maps, factors, positions);
    case 4:
      return take_last<4>(given, maps, factors, positions);
    case 5:
      return take_last<5>(given, maps, factors, positions);
    case 6:
      return take_last<6>(given, maps, factors, positions);
    case 7:
      return take_last<7>(given, maps, factors, positions);
    default:
      return take_last<kTogether>(given, maps, factors, positions);
  }
}

NLE_INLINE void pooled(const Removal& removal, float* found) {
  const auto& [logits, weights, maps, positions, sets] = removal;
  const float share = 1.0f / static_cast<float>(positions);
  for (std::size_t s = 0; s < sets.count; ++s, found += weights.asked) {
    std::copy(logits, logits + weights.asked, found);
    for (std::size_t i = 0; i < sets.size; ++i) {
      const auto neuron = static_cast<std::ptrdiff_t>(sets.neurons[s * sets.size + i]);
      const float* map = maps + neuron * static_cast<std::ptrdiff_t>(positions);
      float sum = 0.0f;
#pragma omp simd reduction(+ : sum)
      for (std::size_t p = 0; p < positions; ++p) sum += map[p];
      for (std::size_t c = 0; c < weights.asked; ++c) {
        found[c] -= weights.of(c)[neuron * weights.column] * (sum * share);
      }
    }
  }
}

NLE_INLINE void rectified(const Removal& removal, float* found) {
  const auto& [class_maps, weights, maps, positions, sets] = removal;
  std::vector<float> row(sets.size > kTogether ? positions : 0);
  const float share = 1.0f / static_cast<float>(positions);
  for (std::size_t s = 0; s < sets.count; ++s) {
    const std::int64_t* neurons = sets.neurons + s * sets.size;
    for (std::size_t c = 0; c < weights.asked; ++c) {
      const float* weight = weights.of(c);
      const float* left = class_maps + c * positions;
      const float* taken[kTogether];
      float factors[kTogether];
      for (std::size_t first = 0;; first += kTogether) {
        const std::size_t count = std::min(sets.size - first, kTogether);
        for (std::size_t i = 0; i < count; ++i) {
          const auto neuron = static_cast<std::ptrdiff_t>(neurons[first + i]);
          taken[i] = maps + neuron * static_cast<std::ptrdiff_t>(positions);
          factors[i] = weight[neuron * weights.column];
        }
        if (first + count == sets.size) {
          *found++ = share * take_last(count, left, taken, factors, positions);
          break;
        }
        take(left, taken, factors, positions, row.data());
        left = row.data();
      }
    }
  }
}

using Remove = void (*)(const Removal&, float*);
void pooled_generic(const Removal& removal, float* found) { pooled(removal, found); }
void rectified_generic(const Removal& removal, float* found) { rectified(removal, found); }
#ifdef NLE_AVX2
NLE_AVX2 void pooled_avx2(const Removal& removal, float* found) { pooled(removal, found); }
NLE_AVX2 void rectified_avx2(const Removal& removal, float* found) { rectified(removal, found); }
#else
constexpr Remove pooled_avx2 = nullptr, rectified_avx2 = nullptr;
#endif

template <class Function>
Function choose(Function generic, [[maybe_unused]] Function avx2) {
#ifdef NLE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return avx2;
#endif
  return generic;
}

}  // namespace

void logits_without(const Removal& removal, float* found) {
  static const Remove remove = choose(pooled_generic, pooled_avx2);
  remove(removal, found);
}

void means_without(const Removal& removal, float* found) {
  static const Remove remove = choose(rectified_generic, rectified_avx2);
  remove(removal, found);
}

void pooled_gradient(const float* row, const float* rival, std::ptrdiff_t column, std::size_t neurons, float share,
                     float* gradient) {
  for (std::size_t c = 0; c < neurons; ++c, row += column) {
    const float other = rival != nullptr ? *rival : 0.0f;
    if (rival != nullptr) rival += column;
    gradient[c] = (*row - other) * share;
  }
}

namespace {

NLE_INLINE float gated(const float* row, float bias, std::ptrdiff_t column, std::size_t neurons, const float* maps,
                       std::size_t positions, float* gate) {
  std::fill(gate, gate + positions, 0.0f);
  for (std::size_t c = 0; c < neurons; ++c, row += column, maps += positions) {
    const float weight = *row;
#pragma omp simd
    for (std::size_t p = 0; p < positions; ++p) gate[p] += weight * maps[p];
  }
  const float share = 1.0f / static_cast<float>(positions);
  float sum = 0.0f;
  for (std::size_t p = 0; p < positions; ++p) {
    const float value = gate[p];
    gate[p] = value + bias > 0.0f ? share : 0.0f;
    sum += gate[p] * value;
  }
  return sum;
}

using Gate = float (*)(const float*, float, std::ptrdiff_t, std::size_t, const float*, std::size_t, float*);
float gate_generic(const float* row, float bias, std::ptrdiff_t column, std::size_t neurons, const float* maps,
                   std::size_t positions, float* gate) {
  return gated(row, bias, column, neurons, maps, positions, gate);
}
#ifdef NLE_AVX2
NLE_AVX2 float gate_avx2(const float* row, float bias, std::ptrdiff_t column, std::size_t neurons, const float* maps,
                         std::size_t positions, float* gate) {
  return gated(row, bias, column, neurons, maps, positions, gate);
}
#else
constexpr Gate gate_avx2 = nullptr;
#endif

}  // namespace

float open_gate(const float* row, float bias, std::ptrdiff_t column, std::size_t neurons, const float* maps,
                std::size_t positions, float* gate) {
  static const Gate open = choose(gate_generic, gate_avx2);
  return open(row, bias, column, neurons, maps, positions, gate);
}

void rectified_gradient(const float* row, float bias, const float* rival, float rival_bias, std::ptrdiff_t column,
                        std::size_t neurons, const float* maps, std::size_t positions, float* gradient) {
  std::vector<float> gates(2 * positions);
  float *gate = gates.data(), *rival_gate = gate + positions;
  open_gate(row, bias, column, neurons, maps, positions, gate);
  if (rival != nullptr) open_gate(rival, rival_bias, column, neurons, maps, positions, rival_gate);
  for (std::size_t c = 0; c < neurons; ++c, gradient += positions, row += column) {
    const float own = *row;
    for (std::size_t p = 0; p < positions; ++p) gradient[p] = own * gate[p];
    if (rival == nullptr) continue;
    const float other = *rival;
    rival += column;
    for (std::size_t p = 0; p < positions; ++p) gradient[p] -= other * rival_gate[p];
  }
}

double probability(const float* logits, std::size_t classes, double largest, double asked) {
  double sum = 0.0;
  for (std::size_t c = 0; c < classes; ++c) sum += std::exp(logits[c] - largest);
  return std::exp(asked - largest) / sum;
}

}  // namespace nle
