#include "scoring.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "narrow.hpp"
#include "parallel.hpp"
#include "scoring_generic.hpp"
#include "scoring_x86.hpp"

namespace nle {
namespace {

using std::int64_t;

// The row functions of one vector unit, by one name.
#define NLE_UNIT(Name, space)                                                                                     \
  struct Name {                                                                                                   \
    template <class T, bool kConstant>                                                                            \
    static void sum_rows(const T* a, const T* g, int64_t neurons, int64_t positions, float* sums) {               \
      space::sum_rows<T, kConstant>(a, g, neurons, positions, sums);                                              \
    }                                                                                                             \
    template <class T, bool kConstant>                                                                            \
    static void range_rows(const T* a, const T* g, int64_t neurons, int64_t positions, float* high, float* low) { \
      space::range_rows<T, kConstant>(a, g, neurons, positions, high, low);                                       \
    }                                                                                                             \
    static constexpr auto positive_sum = space::positive_sum;                                                     \
    static constexpr auto all_finite = space::all_finite;                                                         \
    static constexpr auto next_above = space::next_above;                                                         \
  };
NLE_UNIT(Generic, generic)
#ifdef NLE_AVX2
NLE_UNIT(Avx2, avx2)
NLE_UNIT(Avx512, avx512)
#endif
#undef NLE_UNIT

// Scores of the rows of one picture; not finite where a relevance or the score is not.
struct Scores {
  float* supporting;
  float* opposing;  // the same as `supporting` for sums
};

template <class T, class Unit>
void score_rows(const T* activations, const T* gradients, const ScoreInput& input, Scores scores) {
  const int64_t neurons = input.neurons, positions = input.positions;
  if (scores.supporting == scores.opposing) {
    const auto rows = input.constant_gradients ? Unit::template sum_rows<T, true> : Unit::template sum_rows<T, false>;
    rows(activations, gradients, neurons, positions, scores.supporting);
  } else {
    const auto rows =
        input.constant_gradients ? Unit::template range_rows<T, true> : Unit::template range_rows<T, false>;
    rows(activations, gradients, neurons, positions, scores.supporting, scores.opposing);
  }
}

template <class Unit>
int64_t first_not_finite(Scores scores, int64_t neurons) {
  if (Unit::all_finite(scores.supporting, neurons) && Unit::all_finite(scores.opposing, neurons)) return -1;
  int64_t c = 0;
  while (std::isfinite(scores.supporting[c]) && std::isfinite(scores.opposing[c])) ++c;
  return c;
}

// The k neurons with the largest sign * score, falling, equal ones by index.
template <class Unit>
void select_top(const float* scores, float sign, int64_t neurons, int64_t k, std::vector<int64_t>& order,
                int64_t* chosen) {
  constexpr int64_t kInsertion = 64;
  const auto key = [=](int64_t c) { return sign * scores[c]; };
  if (k > kInsertion) {
    order.resize(static_cast<std::size_t>(neurons));
    std::iota(order.begin(), order.end(), int64_t{0});
    std::partial_sort(order.begin(), order.begin() + k, order.end(),
                      [key](int64_t a, int64_t b) { return key(a) > key(b) || (key(a) == key(b) && a < b); });
    std::copy_n(order.begin(), k, chosen);
    return;
  }
  const auto insert = [=](int64_t c, int64_t place) {
    for (; place > 0 && key(c) > key(chosen[place - 1]); --place) chosen[place] = chosen[place - 1];
    chosen[place] = c;
  };
  for (int64_t c = 0; c < k; ++c) insert(c, c);
  for (int64_t c = k; (c = Unit::next_above(scores, sign, key(chosen[k - 1]), c, neurons)) < neurons; ++c) {
    insert(c, k - 1);
  }
}

template <class T, class Unit>
void score_pictures(const ScoreInput& input, const ScoreOptions& options, const ScoreOutput& output) {
  const int64_t neurons = input.neurons, positions = input.positions, k = options.k;
  const int64_t kept = k * (int{options.supporting} + int{options.opposing});
  const int64_t gradient_size = input.constant_gradients ? neurons : neurons * positions;
  const auto pictures = static_cast<std::size_t>(input.pictures);

  parallel_ranges(pictures, options.threads, [&](std::size_t begin, std::size_t end, std::size_t) {
    std::vector<float> room(static_cast<std::size_t>(2 * neurons));
    std::vector<int64_t> order;
    float* const supporting = room.data();
    float* const opposing = options.reduce == Reduce::sum ? supporting : supporting + neurons;
    for (auto n = static_cast<int64_t>(begin); n < static_cast<int64_t>(end); ++n) {
      const T* activations = static_cast<const T*>(input.activations) + n * neurons * positions;
      const T* gradients = static_cast<const T*>(input.gradients) + n * gradient_size;
      score_rows<T, Unit>(activations, gradients, input, {supporting, opposing});
      output.bad[n] = first_not_finite<Unit>({supporting, opposing}, neurons);
      if (output.bad[n] >= 0) continue;

      output.total[n] = static_cast<float>(Unit::positive_sum(supporting, neurons));
      int64_t* chosen = output.neurons + n * kept;
      if (options.supporting) select_top<Unit>(supporting, 1, neurons, k, order, chosen);
      if (options.opposing) select_top<Unit>(opposing, -1, neurons, k, order, chosen + (kept - k));
      for (int64_t rank = 0; rank < kept; ++rank) {
        const bool supports = options.supporting && rank < k;
        output.values[n * kept + rank] = (supports ? supporting : opposing)[chosen[rank]];
        const T* map = activations + chosen[rank] * positions;
        float* wide = output.maps + (n * kept + rank) * positions;
        for (int64_t i = 0; i < positions; ++i) wide[i] = widen(map[i]);
      }
    }
  });
}

template <class T>
void score_on(const ScoreInput& input, const ScoreOptions& options, const ScoreOutput& output) {
#ifdef NLE_AVX2
  if (options.unit == VectorUnit::avx512) return score_pictures<T, Avx512>(input, options, output);
  if (options.unit == VectorUnit::avx2) return score_pictures<T, Avx2>(input, options, output);
#endif
  score_pictures<T, Generic>(input, options, output);
}

}  // namespace

std::vector<VectorUnit> vector_units() {
  std::vector<VectorUnit> units{VectorUnit::generic};
#ifdef NLE_AVX2
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    units.push_back(VectorUnit::avx2);
    if (__builtin_cpu_supports("avx512f")) units.push_back(VectorUnit::avx512);
  }
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
