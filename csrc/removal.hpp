// What a head of 1 x 1 convolution, ReLU and mean over space says without some of its neurons.
#pragma once

#include <cstddef>

namespace nle {

struct ReluHead {
  const float* class_maps;  // classes x positions, before ReLU
  const float* weight;      // classes x removed, of the neurons that are taken away
  const float* maps;        // removed x positions, of these
  std::size_t classes, removed, positions;
};

// means[c] = mean over positions of relu(class_maps[c] - sum over n of weight[c][n] * maps[n]).
void means_without(const ReluHead& head, float* means);

}  // namespace nle
