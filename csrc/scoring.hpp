#pragma once

#include <cstdint>
#include <string>
#include <vector>

// Gradient × activation scores and the top k, in one pass. Views in, values out; nle_fast/ops/reference.py defines it.
namespace nle {

enum class Element { float32, float16, bfloat16 };
enum class Reduce { sum, max };

// How the rows are computed. The results of two units may differ in the last bits of a sum, never in a maximum.
enum class VectorUnit { generic, avx2, avx512 };

// The units of this machine, slowest first; `generic` is always among them.
std::vector<VectorUnit> vector_units();

struct ScoreInput {
  const void* activations;  // (pictures, neurons, positions), contiguous
  const void* gradients;    // the same shape, or (pictures, neurons) when `constant_gradients`
  Element element;          // of both
  bool constant_gradients;
  std::int64_t pictures, neurons, positions;  // each at least 1
};

struct ScoreOptions {
  Reduce reduce;
  bool supporting, opposing;  // at least one; both: first the supporting neurons, then the opposing
  std::int64_t k;             // 1 ≤ k ≤ neurons
  std::size_t threads;        // over pictures
  VectorUnit unit;            // one of vector_units()
};

// Written in full for every picture whose `bad` is -1; the others have their `bad` only.
struct ScoreOutput {
  float* values;          // (pictures, k')
  std::int64_t* neurons;  // (pictures, k')
  float* maps;            // (pictures, k', positions)
  float* total;           // (pictures): Σ max(supporting score, 0)
  std::int64_t* bad;      // (pictures): the first neuron with a relevance or score that is not finite, or -1
};

void score_neurons(const ScoreInput& input, const ScoreOptions& options, const ScoreOutput& output);

}  // namespace nle
