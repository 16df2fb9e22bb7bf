#include "dissect.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <vector>

#include "dissect_units.hpp"
#include "parallel.hpp"

namespace nle {
namespace {

using std::int64_t;
using std::size_t;
using std::uint16_t;
using std::uint64_t;

// Pictures whose masks are held as bits at a time.
constexpr int64_t kBlock = 32;

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

// One picture's masks: the concepts that it shows, each as rows of bits, before them all what is known.
struct PictureBits {
  std::vector<std::int32_t> concepts;
  std::vector<int64_t> area;    // of each, in pixels
  std::vector<uint64_t> words;  // (1 + concepts, side, words per row)
};

// Sets the bits [begin, end) of a row.
void set_bits(uint64_t* row, int64_t begin, int64_t end) {
  for (int64_t x = begin; x < end;) {
    const int64_t stop = std::min(end, (x / kWord + 1) * kWord);
    row[x / kWord] |= (~uint64_t{0} >> (kWord - (stop - x))) << (x % kWord);
    x = stop;
  }
}

PictureBits bits_of_masks(const Masks& masks, int64_t picture, int64_t row_words) {
  PictureBits bits;
  const uint16_t* codes = masks.codes + picture * masks.side * masks.side;
  const int64_t plane = masks.side * row_words;
  std::vector<int64_t> slot(static_cast<size_t>(masks.concepts), -1);
  bits.words.assign(static_cast<size_t>(plane), 0);
  for (int64_t y = 0; y < masks.side; ++y) {
    const uint16_t* const row = codes + y * masks.side;
    for (int64_t x = 0; x < masks.side;) {
      const uint16_t code = row[x];
      const int64_t begin = x;
      while (++x < masks.side && row[x] == code) continue;
      if (code == 0) continue;
      set_bits(bits.words.data() + y * row_words, begin, x);
      for (std::int32_t m = masks.starts[code]; m < masks.starts[code + 1]; ++m) {
        int64_t& at = slot[static_cast<size_t>(masks.members[m])];
        if (at < 0) {
          at = static_cast<int64_t>(bits.concepts.size());
          bits.concepts.push_back(masks.members[m]);
          bits.area.push_back(0);
          bits.words.resize(bits.words.size() + static_cast<size_t>(plane), 0);
        }
        bits.area[static_cast<size_t>(at)] += x - begin;
        set_bits(bits.words.data() + (at + 1) * plane + y * row_words, begin, x);
      }
    }
  }
  return bits;
}

// The largest of some float16, by an order that signed integers have too.
NLE_INLINE float peak_of(const uint16_t* values, int64_t count) {
  std::int16_t best = INT16_MIN;
  for (int64_t i = 0; i < count; ++i) {
    const auto bits = static_cast<std::int16_t>(values[i]);
    const auto key = static_cast<std::int16_t>(bits ^ ((bits >> 15) & 0x7fff));
    best = key > best ? key : best;
  }
  return widen(Half{static_cast<uint16_t>(best ^ ((best >> 15) & 0x7fff))});
}

// Scratch memory of one worker.
struct Room {
  std::vector<float> values, peaks, lines, deltas;
  std::vector<uint64_t> bits;
};

// The neurons [begin, end) on one picture.
template <class Unit>
NLE_INLINE void overlaps_of(const KeptMaps& maps, const Masks& masks, const PictureBits& picture, int64_t row_of_map,
                            const Axis& down, const Axis& across, const float* thresholds, int64_t quantiles,
                            int64_t begin, int64_t end, Room& room, const Overlaps& overlaps) {
  const int64_t side = masks.side, height = maps.height, width = maps.width, positions = height * width;
  const int64_t row_words = (side + kWord - 1) / kWord, plane = side * row_words;
  const auto line = static_cast<int64_t>(across.low.size());
  float* const values = room.values.data();
  float* const lines = room.lines.data();
  float* const deltas = room.deltas.data();
  float* const peaks = room.peaks.data();
  uint64_t* const bits = room.bits.data();
  for (int64_t neuron = begin; neuron < end; ++neuron) {
    const uint16_t* const map = maps.values + (row_of_map * maps.neurons + neuron) * positions;
    const float peak = peak_of(map, positions);
    bool interpolated = false;
    for (int64_t q = 0; q < quantiles; ++q) {
      const float threshold = thresholds[q * maps.neurons + neuron];
      // No interpolated value exceeds the largest of the map: at a high quantile most maps end here.
      if (!(peak > threshold)) continue;
      if (!interpolated) {
        for (int64_t i = 0; i < positions; ++i) values[i] = widen(Half{map[i]});
        for (int64_t y = 0; y < height; ++y) {
          peaks[y] = peak_of(map + y * width, width);
          Unit::stretch(values + y * width, across, lines + y * line);
        }
        for (int64_t i = 0; i < (height - 1) * line; ++i) deltas[i] = lines[i + line] - lines[i];
        interpolated = true;
      }
      int64_t top = side, bottom = 0;
      for (int64_t y = 0; y < side; ++y) {
        const auto i = static_cast<size_t>(y);
        uint64_t* const row = bits + y * row_words;
        std::fill_n(row, row_words, uint64_t{0});
        if (!(std::max(peaks[down.low[i]], peaks[down.high[i]]) > threshold)) continue;
        Unit::compare(lines + down.low[i] * line, deltas + down.low[i] * line, down.share[i], threshold, line, row);
        top = std::min(top, y);
        bottom = y + 1;
      }
      // Lit rows may yet be dark, where a peak falls between two pixels.
      if (bottom == 0) continue;
      const uint64_t* const planes = picture.words.data();
      const uint64_t* const lit = bits + top * row_words;
      const int64_t from = top * row_words, count = (bottom - top) * row_words;
      overlaps.on[q * maps.neurons + neuron] += Unit::ones_of_both(lit, planes + from, count);
      int64_t* const both = overlaps.both + (q * maps.neurons + neuron) * masks.concepts;
      for (size_t j = 0; j < picture.concepts.size(); ++j) {
        const uint64_t* const shown = planes + static_cast<int64_t>(j + 1) * plane;
        both[picture.concepts[j]] += Unit::ones_of_both(lit, shown + from, count);
      }
    }
  }
}

using NeuronCounter = void (*)(const KeptMaps&, const Masks&, const PictureBits&, int64_t, const Axis&, const Axis&,
                               const float*, int64_t, int64_t, int64_t, Room&, const Overlaps&);

void by_generic(const KeptMaps& maps, const Masks& masks, const PictureBits& picture, int64_t row, const Axis& down,
                const Axis& across, const float* thresholds, int64_t quantiles, int64_t begin, int64_t end, Room& room,
                const Overlaps& overlaps) {
  overlaps_of<Generic>(maps, masks, picture, row, down, across, thresholds, quantiles, begin, end, room, overlaps);
}
#ifdef NLE_AVX2
NLE_AVX2_EXACT void by_avx2(const KeptMaps& maps, const Masks& masks, const PictureBits& picture, int64_t row,
                            const Axis& down, const Axis& across, const float* thresholds, int64_t quantiles,
                            int64_t begin, int64_t end, Room& room, const Overlaps& overlaps) {
  overlaps_of<Avx2>(maps, masks, picture, row, down, across, thresholds, quantiles, begin, end, room, overlaps);
}
NLE_AVX512_EXACT void by_avx512(const KeptMaps& maps, const Masks& masks, const PictureBits& picture, int64_t row,
                                const Axis& down, const Axis& across, const float* thresholds, int64_t quantiles,
                                int64_t begin, int64_t end, Room& room, const Overlaps& overlaps) {
  overlaps_of<Avx512>(maps, masks, picture, row, down, across, thresholds, quantiles, begin, end, room, overlaps);
}
#endif

NeuronCounter counter_of(VectorUnit unit) {
#ifdef NLE_AVX2
  const bool counts = __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512vpopcntdq");
  if (unit == VectorUnit::avx512 && counts) return by_avx512;
  if (unit != VectorUnit::generic) return by_avx2;
#endif
  (void)unit;
  return by_generic;
}

}  // namespace

Axis::Axis(int64_t side, int64_t positions) : length(positions) {
  for (int64_t i = 0; i < side; ++i) {
    const double at =
        std::clamp((static_cast<double>(i) + 0.5) / static_cast<double>(side) * static_cast<double>(length) - 0.5, 0.0,
                   static_cast<double>(length - 1));
    const int64_t base = std::clamp<int64_t>(static_cast<int64_t>(at), 0, std::max<int64_t>(0, length - 2));
    low.push_back(static_cast<std::int32_t>(base));
    high.push_back(static_cast<std::int32_t>(std::min(base + 1, length - 1)));
    share.push_back(static_cast<float>(at - static_cast<double>(base)));
  }
  const auto padded = static_cast<size_t>((side + kLanes - 1) / kLanes * kLanes);
  low.resize(padded, 0);
  high.resize(padded, 0);
  share.resize(padded, 0);
}

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
  const NeuronCounter counter = counter_of(unit);
  for (int64_t first = 0; first < maps.count; first += kBlock) {
    std::vector<PictureBits> pictures(static_cast<size_t>(std::min(kBlock, maps.count - first)));
    parallel_for(pictures.size(), threads,
                 [&](size_t n) { pictures[n] = bits_of_masks(masks, first + static_cast<int64_t>(n), row_words); });
    for (const PictureBits& picture : pictures) {
      for (size_t j = 0; j < picture.concepts.size(); ++j) overlaps.area[picture.concepts[j]] += picture.area[j];
    }
    parallel_ranges(static_cast<size_t>(maps.neurons), threads, [&](size_t begin, size_t end, size_t) {
      Room room;
      room.values.resize(static_cast<size_t>(maps.height * maps.width));
      room.peaks.resize(static_cast<size_t>(maps.height));
      room.lines.resize(static_cast<size_t>(maps.height) * across.low.size());
      // A map of one row rises nowhere.
      room.deltas.resize(static_cast<size_t>(maps.height) * across.low.size());
      room.bits.resize(static_cast<size_t>(masks.side * row_words));
      for (size_t n = 0; n < pictures.size(); ++n) {
        counter(maps, masks, pictures[n], maps.rows[first + static_cast<int64_t>(n)], down, across, thresholds,
                quantiles, static_cast<int64_t>(begin), static_cast<int64_t>(end), room, overlaps);
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
