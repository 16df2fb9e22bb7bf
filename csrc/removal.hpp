// What a head of 1 x 1 convolution, ReLU and mean over space says without some of its neurons.
#pragma once

#include <cstddef>
#include <cstdint>

namespace nle {

struct ReluHead {
  const float* class_maps;  // classes x positions, before ReLU
  const float* weight;      // classes x neurons
  const float* maps;        // neurons x positions
  std::size_t classes, neurons, positions;
};

// means[c] = mean over positions of relu(class_maps[c] - sum of weight[c][n] * maps[n] over the `count` neurons).
void means_without(const ReluHead& head, const std::int64_t* removed, std::size_t count, float* means);

}  // namespace nle
