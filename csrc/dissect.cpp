#include "dissect.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "narrow.hpp"
#include "parallel.hpp"

namespace nle {
namespace {

using std::int64_t;
using std::size_t;
using std::uint16_t;
using std::uint64_t;

constexpr int64_t kWord = 64;
// Pictures whose masks are held as bits at a time.
constexpr int64_t kBlock = 32;
// Lines of interpolated values are padded to whole vectors.
constexpr int64_t kLanes = 8;

// Float16 bits in an order that unsigned integers have too, and back.
uint16_t key_of(uint16_t bits) { return static_cast<uint16_t>(bits & 0x8000u ? ~bits : bits | 0x8000u); }
uint16_t bits_of(uint16_t key) { return static_cast<uint16_t>(key & 0x8000u ? key & 0x7fffu : ~key); }

using Histogram = std::array<int64_t, 256>;

// Goes down from the largest bin to the one that holds `place`, which becomes the place within that bin.
int bin_at(const Histogram& histogram, int64_t& place) {
  int bin = 255;
  for (; bin > 0 && place >= histogram[static_cast<size_t>(bin)]; --bin) place -= histogram[static_cast<size_t>(bin)];
  return bin;
}

NLE_INLINE int64_t ones(uint64_t word) {
#if defined(__GNUC__)
  return __builtin_popcountll(word);
#else
  word -= (word >> 1) & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + ((word >> 2) & 0x3333333333333333u);
  return static_cast<int64_t>((((word + (word >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u) >> 56);
#endif
}

NLE_INLINE int64_t ones_of_both(const uint64_t* a, const uint64_t* b, int64_t begin, int64_t end) {
  int64_t total = 0;
  for (int64_t w = begin; w < end; ++w) total += ones(a[w] & b[w]);
  return total;
}

// Where the centers of `side` pixels lie among `length` positions: bilinear, half-pixel centers, clamped edges.
struct Axis {
  std::vector<int64_t> low, high;
  std::vector<float> share;  // of `high`

  Axis(int64_t side, int64_t length) {
    for (int64_t i = 0; i < side; ++i) {
      const double at =
          std::clamp((static_cast<double>(i) + 0.5) / static_cast<double>(side) * static_cast<double>(length) - 0.5,
                     0.0, static_cast<double>(length - 1));
      const int64_t base = std::clamp<int64_t>(static_cast<int64_t>(at), 0, std::max<int64_t>(0, length - 2));
      low.push_back(base);
      high.push_back(std::min(base + 1, length - 1));
      share.push_back(static_cast<float>(at - static_cast<double>(base)));
    }
  }
};

// One picture's masks: the concepts that it shows, each as rows of bits, before them all what is known.
struct PictureBits {
  std::vector<std::int32_t> concepts;
  std::vector<uint64_t> words;  // (1 + concepts, side, words per row)
};

PictureBits bits_of_masks(const Masks& masks, int64_t picture, int64_t row_words) {
  PictureBits bits;
  const uint16_t* codes = masks.codes + picture * masks.side * masks.side;
  const int64_t plane = masks.side * row_words;
  std::vector<int64_t> slot(static_cast<size_t>(masks.concepts), -1);
  std::vector<bool> seen(static_cast<size_t>(masks.num_codes), false);
  for (int64_t i = 0; i < masks.side * masks.side; ++i) {
    if (seen[codes[i]]) continue;
    seen[codes[i]] = true;
    for (std::int32_t m = masks.starts[codes[i]]; m < masks.starts[codes[i] + 1]; ++m) {
      const auto concept_index = static_cast<size_t>(masks.members[m]);
      if (slot[concept_index] >= 0) continue;
      bits.concepts.push_back(masks.members[m]);
      slot[concept_index] = static_cast<int64_t>(bits.concepts.size());
    }
  }
  bits.words.assign((bits.concepts.size() + 1) * static_cast<size_t>(plane), 0);
  for (int64_t y = 0; y < masks.side; ++y) {
    for (int64_t x = 0; x < masks.side; ++x) {
      const uint16_t code = codes[y * masks.side + x];
      if (code == 0) continue;
      const int64_t word = y * row_words + x / kWord;
      const uint64_t bit = uint64_t{1} << (x % kWord);
      bits.words[static_cast<size_t>(word)] |= bit;
      for (std::int32_t m = masks.starts[code]; m < masks.starts[code + 1]; ++m) {
        const int64_t plane_of = slot[static_cast<size_t>(masks.members[m])];
        bits.words[static_cast<size_t>(plane_of * plane + word)] |= bit;
      }
    }
  }
  return bits;
}

// Sets bit x of `row` where low[x] + (high[x] - low[x]) * share exceeds the threshold.
struct Generic {
  static NLE_INLINE void compare(const float* low, const float* high, float share, float threshold, int64_t side,
                                 uint64_t* row) {
    for (int64_t x = 0; x < side; ++x) {
      const float value = low[x] + (high[x] - low[x]) * share;
      row[x / kWord] |= uint64_t{value > threshold} << (x % kWord);
    }
  }
};
#ifdef NLE_AVX2
struct Avx2 {
  // Reads whole vectors: lines are padded with -infinity, which is on nowhere.
  NLE_AVX2_EXACT static inline void compare(const float* low, const float* high, float share, float threshold,
                                            int64_t side, uint64_t* row) {
    const __m256 shares = _mm256_set1_ps(share), thresholds = _mm256_set1_ps(threshold);
    for (int64_t x = 0; x < side; x += kLanes) {
      const __m256 a = _mm256_loadu_ps(low + x), b = _mm256_loadu_ps(high + x);
      const __m256 value = _mm256_add_ps(a, _mm256_mul_ps(_mm256_sub_ps(b, a), shares));
      const int mask = _mm256_movemask_ps(_mm256_cmp_ps(value, thresholds, _CMP_GT_OQ));
      row[x / kWord] |= static_cast<uint64_t>(static_cast<unsigned>(mask)) << (x % kWord);
    }
  }
};
#endif

// Scratch memory of one worker.
struct Room {
  std::vector<float> values, peaks, lines;
  std::vector<uint64_t> bits;
};

template <class Unit>
NLE_INLINE void overlaps_of(const KeptMaps& maps, const Masks& masks, const std::vector<PictureBits>& pictures,
                            int64_t first, const Axis& down, const Axis& across, const float* thresholds,
                            int64_t quantiles, int64_t neuron, Room& room, const Overlaps& overlaps) {
  const int64_t side = masks.side, positions = maps.height * maps.width;
  const int64_t row_words = (side + kWord - 1) / kWord, plane = side * row_words;
  const int64_t line = (side + kLanes - 1) / kLanes * kLanes;
  float* const values = room.values.data();
  float* const lines = room.lines.data();
  float* const peaks = room.peaks.data();
  uint64_t* const bits = room.bits.data();
  for (size_t n = 0; n < pictures.size(); ++n) {
    const uint16_t* map =
        maps.values + (maps.rows[first + static_cast<int64_t>(n)] * maps.neurons + neuron) * positions;
    float peak = -INFINITY;
    for (int64_t y = 0; y < maps.height; ++y) {
      float highest = -INFINITY;
      for (int64_t x = 0; x < maps.width; ++x) {
        const float value = widen(Half{map[y * maps.width + x]});
        values[y * maps.width + x] = value;
        highest = value > highest ? value : highest;
      }
      peaks[y] = highest;
      peak = highest > peak ? highest : peak;
    }
    bool interpolated = false;
    for (int64_t q = 0; q < quantiles; ++q) {
      const float threshold = thresholds[q * maps.neurons + neuron];
      // No interpolated value exceeds the largest of the map: at a high quantile most maps end here.
      if (!(peak > threshold)) continue;
      if (!interpolated) {
        for (int64_t y = 0; y < maps.height; ++y) {
          const float* row = values + y * maps.width;
          for (int64_t x = 0; x < side; ++x) {
            const auto i = static_cast<size_t>(x);
            const float low = row[across.low[i]];
            lines[y * line + x] = low + (row[across.high[i]] - low) * across.share[i];
          }
        }
        interpolated = true;
      }
      int64_t top = side, bottom = 0;
      for (int64_t y = 0; y < side; ++y) {
        const auto i = static_cast<size_t>(y);
        uint64_t* const row = bits + y * row_words;
        std::fill_n(row, row_words, uint64_t{0});
        if (!(std::max(peaks[down.low[i]], peaks[down.high[i]]) > threshold)) continue;
        Unit::compare(lines + down.low[i] * line, lines + down.high[i] * line, down.share[i], threshold, side, row);
        top = std::min(top, y);
        bottom = y + 1;
      }
      const uint64_t* const planes = pictures[n].words.data();
      overlaps.on[q * maps.neurons + neuron] += ones_of_both(bits, planes, top * row_words, bottom * row_words);
      int64_t* const both = overlaps.both + (q * maps.neurons + neuron) * masks.concepts;
      for (size_t j = 0; j < pictures[n].concepts.size(); ++j) {
        const uint64_t* const shown = planes + static_cast<int64_t>(j + 1) * plane;
        both[pictures[n].concepts[j]] += ones_of_both(bits, shown, top * row_words, bottom * row_words);
      }
    }
  }
}

using NeuronCounter = void (*)(const KeptMaps&, const Masks&, const std::vector<PictureBits>&, int64_t, const Axis&,
                               const Axis&, const float*, int64_t, int64_t, Room&, const Overlaps&);

void by_generic(const KeptMaps& maps, const Masks& masks, const std::vector<PictureBits>& pictures, int64_t first,
                const Axis& down, const Axis& across, const float* thresholds, int64_t quantiles, int64_t neuron,
                Room& room, const Overlaps& overlaps) {
  overlaps_of<Generic>(maps, masks, pictures, first, down, across, thresholds, quantiles, neuron, room, overlaps);
}
#ifdef NLE_AVX2
NLE_AVX2_EXACT void by_avx2(const KeptMaps& maps, const Masks& masks, const std::vector<PictureBits>& pictures,
                            int64_t first, const Axis& down, const Axis& across, const float* thresholds,
                            int64_t quantiles, int64_t neuron, Room& room, const Overlaps& overlaps) {
  overlaps_of<Avx2>(maps, masks, pictures, first, down, across, thresholds, quantiles, neuron, room, overlaps);
}
#endif

NeuronCounter counter_of(VectorUnit unit) {
#ifdef NLE_AVX2
  if (unit == VectorUnit::avx2) return by_avx2;
#endif
  (void)unit;
  return by_generic;
}

}  // namespace

void ranked_activations(const KeptMaps& maps, const int64_t* places, int64_t shares, float* values, size_t threads) {
  const int64_t positions = maps.height * maps.width;
  parallel_ranges(static_cast<size_t>(maps.neurons), threads, [&](size_t begin, size_t end, size_t) {
    const size_t width = end - begin, count = static_cast<size_t>(shares);
    std::vector<Histogram> high(width, Histogram{}), low(width * count, Histogram{});
    std::vector<int> bins(width * count);
    std::vector<int64_t> left(width * count);
    const auto each = [&](auto&& see) {
      for (int64_t n = 0; n < maps.count; ++n) {
        const uint16_t* map = maps.values + (maps.rows[n] * maps.neurons + static_cast<int64_t>(begin)) * positions;
        for (size_t c = 0; c < width; ++c) {
          for (int64_t i = 0; i < positions; ++i) see(c, key_of(*map++));
        }
      }
    };
    each([&](size_t c, uint16_t key) { ++high[c][key >> 8]; });
    for (size_t c = 0; c < width; ++c) {
      for (size_t s = 0; s < count; ++s) {
        left[c * count + s] = places[s];
        bins[c * count + s] = bin_at(high[c], left[c * count + s]);
      }
    }
    each([&](size_t c, uint16_t key) {
      for (size_t s = 0; s < count; ++s) {
        if (bins[c * count + s] == key >> 8) ++low[c * count + s][key & 0xff];
      }
    });
    for (size_t c = 0; c < width; ++c) {
      for (size_t s = 0; s < count; ++s) {
        const int fine = bin_at(low[c * count + s], left[c * count + s]);
        const auto key = static_cast<uint16_t>(bins[c * count + s] << 8 | fine);
        values[s * static_cast<size_t>(maps.neurons) + begin + c] = widen(Half{bits_of(key)});
      }
    }
  });
}

void count_overlaps(const KeptMaps& maps, const Masks& masks, const float* thresholds, int64_t quantiles,
                    const Overlaps& overlaps, size_t threads, VectorUnit unit) {
  const Axis down(masks.side, maps.height), across(masks.side, maps.width);
  const int64_t row_words = (masks.side + kWord - 1) / kWord;
  const auto line = static_cast<size_t>((masks.side + kLanes - 1) / kLanes * kLanes);
  const NeuronCounter counter = counter_of(unit);
  for (int64_t first = 0; first < maps.count; first += kBlock) {
    std::vector<PictureBits> pictures(static_cast<size_t>(std::min(kBlock, maps.count - first)));
    parallel_for(pictures.size(), threads,
                 [&](size_t n) { pictures[n] = bits_of_masks(masks, first + static_cast<int64_t>(n), row_words); });
    for (const PictureBits& picture : pictures) {
      const auto plane = static_cast<size_t>(masks.side * row_words);
      for (size_t j = 0; j < picture.concepts.size(); ++j) {
        for (size_t w = (j + 1) * plane; w < (j + 2) * plane; ++w) {
          overlaps.area[picture.concepts[j]] += ones(picture.words[w]);
        }
      }
    }
    parallel_ranges(static_cast<size_t>(maps.neurons), threads, [&](size_t begin, size_t end, size_t) {
      Room room;
      room.values.resize(static_cast<size_t>(maps.height * maps.width));
      room.peaks.resize(static_cast<size_t>(maps.height));
      room.lines.assign(static_cast<size_t>(maps.height) * line, -INFINITY);
      room.bits.resize(static_cast<size_t>(masks.side * row_words));
      for (size_t neuron = begin; neuron < end; ++neuron) {
        counter(maps, masks, pictures, first, down, across, thresholds, quantiles, static_cast<int64_t>(neuron), room,
                overlaps);
      }
    });
  }
}

void average_ranks(const float* values, int64_t rows, int64_t columns, float* ranks, size_t threads) {
  parallel_ranges(static_cast<size_t>(rows), threads, [&](size_t begin, size_t end, size_t) {
    std::vector<int64_t> order(static_cast<size_t>(columns));
    for (size_t row = begin; row < end; ++row) {
      const float* line = values + static_cast<int64_t>(row) * columns;
      float* out = ranks + static_cast<int64_t>(row) * columns;
      std::iota(order.begin(), order.end(), int64_t{0});
      std::sort(order.begin(), order.end(), [line](int64_t a, int64_t b) { return line[a] < line[b]; });
      for (int64_t start = 0; start < columns;) {
        int64_t stop = start + 1;
        while (stop < columns && line[order[static_cast<size_t>(stop)]] == line[order[static_cast<size_t>(start)]])
          ++stop;
        const auto rank = static_cast<float>(static_cast<double>(start + stop + 1) / 2);
        for (; start < stop; ++start) out[order[static_cast<size_t>(start)]] = rank;
      }
    }
  });
}

}  // namespace nle
