#pragma once

#include <cstddef>
#include <cstdint>

#include "scoring.hpp"

// What network dissection counts, over activation maps kept as float16. Views in, values out;
// nle_fast/ops/reference_dissect.py defines it.
namespace nle {

struct KeptMaps {
  const std::uint16_t* values;  // (pictures, neurons, height, width), the bits of float16
  const std::int64_t* rows;     // which pictures, in this order
  std::int64_t count;           // how many
  std::int64_t neurons, height, width;
};

// For each of `shares` places and each neuron, the value that stands at this place among all its positions, the largest
// at place 0. `values` is (shares, neurons).
void ranked_activations(const KeptMaps& maps, const std::int64_t* places, std::int64_t shares, float* values,
                        std::size_t threads);

struct Masks {
  const std::uint16_t* codes;  // (count, side, side); 0 is unknown, the others index `starts`
  std::int64_t side;
  const std::int32_t* starts;  // (num_codes + 1): code k means the concepts members[starts[k] … starts[k + 1])
  const std::int32_t* members;
  std::int64_t num_codes, concepts;
};

struct Overlaps {
  std::int64_t* both;  // (quantiles, neurons, concepts): pixels that are on, known and of the concept
  std::int64_t* on;    // (quantiles, neurons): pixels that are on and known
  std::int64_t* area;  // (concepts): pixels of the concept
};

// Adds to `overlaps`. A pixel is on where its bilinear value exceeds thresholds[quantile][neuron].
void count_overlaps(const KeptMaps& maps, const Masks& masks, const float* thresholds, std::int64_t quantiles,
                    const Overlaps& overlaps, std::size_t threads, VectorUnit unit);

// The ranks, from 1, of each row of `values` (rows, columns), none of them NaN; equal values share their mean rank.
void average_ranks(const float* values, std::int64_t rows, std::int64_t columns, float* ranks, std::size_t threads);

}  // namespace nle
