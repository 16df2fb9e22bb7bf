// The zones of a picture (halves, middle, quarters) on a grid of 4 x 4 sixteenths, and the rule that chooses among
// them.
#pragma once

#include <array>
#include <cstdint>

#include "cells.hpp"
#include "outline.hpp"

namespace nle {

// On-area of each sixteenth, row by row, in quarter pixels: 4 for a pixel of which nothing lies on a cut. The largest
// picture has 2^30 of them in a sixteenth.
using SixteenthAreas = std::array<std::int32_t, 16>;

// Band k of an axis holds the half pixels [cut[k], cut[k + 1]). A pixel belongs to the band that holds its centre; half
// of it to each side where the centre lies on the cut, so that a mirrored picture has mirrored areas.
using QuarterCuts = std::array<int, 5>;

QuarterCuts quarter_cuts(int size);

SixteenthAreas count_sixteenths(const Runs& runs, const QuarterCuts& cuts_x, const QuarterCuts& cuts_y);

// One or two words, as indices into schema.PLACES; -1: none.
struct ChosenPlaces {
  int first = -1;
  int second = -1;
};

// Where the on-areas of all regions of a map lie in the picture.
// - The entire picture: >= 85 % of it is on. Most of it: >= 60 %.
// - Else one zone, or two of which each holds >= 20 %, that together hold >= 70 % of what is on: the smallest in area;
//   of equal ones one zone before two, then those that come first in schema.PLACES. Zones that together are more than
//   75 % of the picture say nothing.
// - Else it is spread over the picture.
ChosenPlaces places_by_zone(const SixteenthAreas& on, PictureSize size);

}  // namespace nle
