// Heads in closed form: what they say without some neurons, and their gradients; and what logits say.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nle {

// Sets of neurons, each of `size`.
struct Sets {
  const std::int64_t* neurons;
  std::size_t count, size;
};

// The weights of the classes asked about; strides are in elements. Row i is that of class classes[i], or i.
struct Weights {
  const float* data;
  std::ptrdiff_t row, column;
  const std::int64_t* classes;
  std::size_t asked;

  const float* of(std::size_t i) const {
    return data + row * static_cast<std::ptrdiff_t>(classes != nullptr ? classes[i] : static_cast<std::int64_t>(i));
  }
};

struct Removal {
  const float* given;  // of each class asked about, see below
  Weights weights;
  const float* maps;  // neurons x positions
  std::size_t positions;
  Sets sets;
};

// found[set][i] = given[i] - sum over the set of weight * mean of the map, where `given` are logits: a head that is
// mean over space and a linear map.
void logits_without(const Removal& removal, float* found);

// found[set][i] = mean over positions of relu(given[i] - sum over the set of weight * map), where `given` are class
// maps, asked x positions: a head that is 1 x 1 convolution, ReLU and mean over space.
void means_without(const Removal& removal, float* found);

// What one unit at one position of each neuron adds to the logit of one class, less what it adds to that of a rival, if
// there is one (`rival` is its row, or null): `neurons` numbers, for a head that is mean over space and a linear map.
void pooled_gradient(const float* row, const float* rival, std::ptrdiff_t column, std::size_t neurons, float share,
                     float* gradient);

// The same of a head that is 1 x 1 convolution, ReLU and mean over space, neurons x positions; `bias` and `rival_bias`
// are those of both classes, `maps` the activations.
void rectified_gradient(const float* row, float bias, const float* rival, float rival_bias, std::ptrdiff_t column,
                        std::size_t neurons, const float* maps, std::size_t positions, float* gradient);

// Of such a head what a weight of one gives at each position, a share where the map of the class is positive; returns
// the sum of that times the map before the bias.
float open_gate(const float* row, float bias, std::ptrdiff_t column, std::size_t neurons, const float* maps,
                std::size_t positions, float* gate);

// Softmax at the class of logit `asked`, of logits whose largest is `largest`.
double probability(const float* logits, std::size_t classes, double largest, double asked);

}  // namespace nle
