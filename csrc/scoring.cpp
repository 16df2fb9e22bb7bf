#include "scoring.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <type_traits>

#include "narrow.hpp"
#include "parallel.hpp"

namespace nle {
namespace {

using std::int64_t;

template <class T>
NLE_INLINE void widen_all(const T* values, float* wide, int64_t count) {
  for (int64_t i = 0; i < count; ++i) wide[i] = widen(values[i]);
}

// The values of one row: activations, or their products with the gradients.
struct Plain {
  const float* activations;
  NLE_INLINE float operator()(int64_t i) const { return activations[i]; }
};
struct Product {
  const float* activations;
  const float* gradients;
  NLE_INLINE float operator()(int64_t i) const { return activations[i] * gradients[i]; }
};

// Values that go through the float32 lanes of the vector unit before they go to a double: with four lanes or more a sum
// stays within 1e-5 of the exact one (relative to the sum of the magnitudes) at any number of positions.
constexpr int64_t kBlock = 512;

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

struct Scores {
  float* supporting;
  float* opposing;  // the same as `supporting` for sums
};

// Scores of `neurons` rows; not finite where a relevance or the score is not.
template <Reduce kReduce, bool kConstant>
NLE_INLINE void score_rows(const float* activations, const float* gradients, int64_t neurons, int64_t positions,
                           Scores scores) {
  for (int64_t c = 0; c < neurons; ++c) {
    const float* row = activations + c * positions;
    const float* weights = gradients + (kConstant ? c : c * positions);
    if constexpr (kReduce == Reduce::sum) {
      const double sum =
          kConstant ? row_sum(Plain{row}, positions) * *weights : row_sum(Product{row, weights}, positions);
      scores.supporting[c] = static_cast<float>(sum);
    } else {
      Range range;
      if constexpr (kConstant) {
        range = row_range(Plain{row}, positions);
        const float one = range.low * *weights, other = range.high * *weights;
        range = {std::min(one, other), std::max(one, other), range.poison + one * 0.0f + other * 0.0f};
      } else {
        range = row_range(Product{row, weights}, positions);
      }
      scores.supporting[c] = std::max(range.high, 0.0f) + range.poison;
      scores.opposing[c] = std::min(range.low, 0.0f) + range.poison;
    }
  }
}

struct Positive {
  const float* scores;
  NLE_INLINE float operator()(int64_t i) const { return scores[i] > 0 ? scores[i] : 0; }
};

int64_t first_not_finite(Scores scores, int64_t neurons) {
  for (const float* row : {scores.supporting, scores.opposing}) {
    if (row_range(Plain{row}, neurons).poison == 0) continue;
    for (int64_t c = 0; c < neurons; ++c) {
      if (!std::isfinite(scores.supporting[c]) || !std::isfinite(scores.opposing[c])) return c;
    }
  }
  return -1;
}

// The same source once per vector unit.
struct Generic {
  template <class T>
  static void widen(const T* values, float* wide, int64_t count) {
    widen_all(values, wide, count);
  }
  template <Reduce kReduce, bool kConstant>
  static void score(const float* a, const float* g, int64_t neurons, int64_t positions, Scores scores) {
    score_rows<kReduce, kConstant>(a, g, neurons, positions, scores);
  }
};
#ifdef NLE_AVX2
struct Avx2 {
  NLE_AVX2 static void widen(const Brain* values, float* wide, int64_t count) { widen_all(values, wide, count); }
  NLE_AVX2 static void widen(const Half* values, float* wide, int64_t count) {
    int64_t i = 0;
    for (; i + 8 <= count; i += 8) {
      const __m128i narrow = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values + i));
      _mm256_storeu_ps(wide + i, _mm256_cvtph_ps(narrow));
    }
    widen_all(values + i, wide + i, count - i);
  }
  template <Reduce kReduce, bool kConstant>
  NLE_AVX2 static void score(const float* a, const float* g, int64_t neurons, int64_t positions, Scores scores) {
    score_rows<kReduce, kConstant>(a, g, neurons, positions, scores);
  }
};
#endif

using RowScorer = void (*)(const float*, const float*, int64_t, int64_t, Scores);

template <class Unit>
RowScorer row_scorer(Reduce reduce, bool constant) {
  if (reduce == Reduce::sum) {
    return constant ? Unit::template score<Reduce::sum, true> : Unit::template score<Reduce::sum, false>;
  }
  return constant ? Unit::template score<Reduce::max, true> : Unit::template score<Reduce::max, false>;
}

// The k neurons with the largest key(c), falling, equal ones by index.
template <class Key>
void select_top(Key key, int64_t neurons, int64_t k, std::vector<int64_t>& order, int64_t* chosen) {
  constexpr int64_t kInsertion = 64;
  if (k > kInsertion) {
    order.resize(static_cast<std::size_t>(neurons));
    std::iota(order.begin(), order.end(), int64_t{0});
    std::partial_sort(order.begin(), order.begin() + k, order.end(),
                      [key](int64_t a, int64_t b) { return key(a) > key(b) || (key(a) == key(b) && a < b); });
    std::copy_n(order.begin(), k, chosen);
    return;
  }
  float last = 0;
  for (int64_t c = 0, count = 0; c < neurons; ++c) {
    const float candidate = key(c);
    if (count == k && !(candidate > last)) continue;
    int64_t place = count < k ? count++ : k - 1;
    for (; place > 0 && candidate > key(chosen[place - 1]); --place) chosen[place] = chosen[place - 1];
    chosen[place] = c;
    last = key(chosen[count - 1]);
  }
}

// Scores of one picture. 16-bit values are widened some rows at a time, so that they stay in the nearest cache.
template <class T, class Unit>
void score_picture(const T* activations, const T* gradients, const ScoreInput& input, RowScorer scorer,
                   std::vector<float>& wide, Scores scores) {
  if constexpr (std::is_same_v<T, float>) {
    scorer(activations, gradients, input.neurons, input.positions, scores);
  } else {
    const int64_t rows = std::clamp<int64_t>(2048 / input.positions, 1, input.neurons);
    const int64_t gradient_row = input.constant_gradients ? 1 : input.positions;
    wide.resize(static_cast<std::size_t>(rows * (input.positions + gradient_row)));
    float* wide_gradients = wide.data() + rows * input.positions;
    for (int64_t c = 0; c < input.neurons; c += rows) {
      const int64_t count = std::min(rows, input.neurons - c);
      Unit::widen(activations + c * input.positions, wide.data(), count * input.positions);
      Unit::widen(gradients + c * gradient_row, wide_gradients, count * gradient_row);
      scorer(wide.data(), wide_gradients, count, input.positions, {scores.supporting + c, scores.opposing + c});
    }
  }
}

template <class T, class Unit>
void score_pictures(const ScoreInput& input, const ScoreOptions& options, const ScoreOutput& output) {
  const RowScorer scorer = row_scorer<Unit>(options.reduce, input.constant_gradients);
  const int64_t neurons = input.neurons, positions = input.positions, k = options.k;
  const int64_t kept = k * (int{options.supporting} + int{options.opposing});
  const int64_t gradient_size = input.constant_gradients ? neurons : neurons * positions;
  const auto pictures = static_cast<std::size_t>(input.pictures);

  parallel_ranges(pictures, options.threads, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> room(static_cast<std::size_t>(2 * neurons)), wide;
    std::vector<int64_t> order;
    float* const supporting = room.data();
    float* const opposing = options.reduce == Reduce::sum ? supporting : supporting + neurons;
    for (auto n = static_cast<int64_t>(begin); n < static_cast<int64_t>(end); ++n) {
      const T* activations = static_cast<const T*>(input.activations) + n * neurons * positions;
      const T* gradients = static_cast<const T*>(input.gradients) + n * gradient_size;
      score_picture<T, Unit>(activations, gradients, input, scorer, wide, {supporting, opposing});
      output.bad[n] = first_not_finite({supporting, opposing}, neurons);
      if (output.bad[n] >= 0) continue;

      output.total[n] = static_cast<float>(row_sum(Positive{supporting}, neurons));
      int64_t* chosen = output.neurons + n * kept;
      if (options.supporting) select_top([=](int64_t c) { return supporting[c]; }, neurons, k, order, chosen);
      if (options.opposing) {
        select_top([=](int64_t c) { return -opposing[c]; }, neurons, k, order, chosen + (kept - k));
      }
      for (int64_t rank = 0; rank < kept; ++rank) {
        const bool supports = options.supporting && rank < k;
        output.values[n * kept + rank] = (supports ? supporting : opposing)[chosen[rank]];
        widen_all(activations + chosen[rank] * positions, output.maps + (n * kept + rank) * positions, positions);
      }
    }
  });
}

template <class T>
void score_on(const ScoreInput& input, const ScoreOptions& options, const ScoreOutput& output) {
#ifdef NLE_AVX2
  if (options.unit == VectorUnit::avx2) return score_pictures<T, Avx2>(input, options, output);
#endif
  score_pictures<T, Generic>(input, options, output);
}

}  // namespace

std::vector<VectorUnit> vector_units() {
  std::vector<VectorUnit> units{VectorUnit::generic};
#ifdef NLE_AVX2
  // No AVX-512 unit: at memory speed it gained nothing over AVX2, and lost on rows as short as 49 values.
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) units.push_back(VectorUnit::avx2);
#endif
  return units;
}

void score_neurons(const ScoreInput& input, const ScoreOptions& options, const ScoreOutput& output) {
  switch (input.element) {
    case Element::float32:
      return score_on<float>(input, options, output);
    case Element::float16:
      return score_on<Half>(input, options, output);
    case Element::bfloat16:
      return score_on<Brain>(input, options, output);
  }
}

}  // namespace nle
