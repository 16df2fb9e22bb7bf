// Sparse codes: of many numbers at each position the few largest that are positive, and what they stand for.
#pragma once

#include <cstddef>

namespace nle {

// Of a picture's projections, features x positions: those kept that are positive and among the `active` largest at
// their position, of equal ones those of the lowest features; the others become zero. `codes` may be `projections`.
void sparse_codes(const float* projections, std::size_t features, std::size_t positions, std::size_t active,
                  float* codes);

// What codes stand for: at each position the sum of the features' directions, `channels` numbers each, times their
// codes. Codes of zero cost nothing. `maps` is channels x positions.
void reconstruct(const float* codes, const float* directions, std::size_t features, std::size_t channels,
                 std::size_t positions, float* maps);

// How slopes spread over the maps of a picture: each its own, channels x positions; one for all channels, positions; or
// one number per channel, constant over space.
enum class Spread { own, shared, constant };

// For each channel the sum of map x slope over positions.
void weighed(const float* maps, const float* slopes, Spread spread, std::size_t channels, std::size_t positions,
             float* sums);

}  // namespace nle
