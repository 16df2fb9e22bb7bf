#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <stdexcept>
#include <string>
#include <vector>

#include "dissect.hpp"

namespace py = pybind11;

namespace {

using Bits = py::array_t<std::uint16_t, py::array::c_style>;
using Floats = py::array_t<float, py::array::c_style>;
using Indices = py::array_t<std::int64_t, py::array::c_style>;
using Small = py::array_t<std::int32_t, py::array::c_style>;

// The arrays come checked from nle_fast.ops.dissect; what is checked again here is what memory safety rests on.
void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

nle::KeptMaps kept_maps(const Bits& maps, const Indices& rows) {
  require(maps.ndim() == 4 && maps.shape(1) > 0 && maps.shape(2) > 0 && maps.shape(3) > 0,
          "`maps` must be (P, C, H, W)");
  require(rows.ndim() == 1, "`rows` must be one list");
  for (py::ssize_t i = 0; i < rows.size(); ++i) {
    require(rows.at(i) >= 0 && rows.at(i) < maps.shape(0), "`rows` must lie in the maps");
  }
  return {maps.data(), rows.data(), rows.size(), maps.shape(1), maps.shape(2), maps.shape(3)};
}

Floats ranked_activations(const Bits& maps, const Indices& rows, const Indices& places, std::size_t threads) {
  const nle::KeptMaps kept = kept_maps(maps, rows);
  const py::ssize_t values = kept.count * kept.height * kept.width;
  require(places.ndim() == 1, "`places` must be one list");
  for (py::ssize_t i = 0; i < places.size(); ++i) {
    require(places.at(i) >= 0 && places.at(i) < values, "`places` must lie among the values");
  }
  Floats found({places.size(), maps.shape(1)});
  const std::int64_t* wanted = places.data();
  float* out = found.mutable_data();
  {
    py::gil_scoped_release release;
    nle::ranked_activations(kept, wanted, places.size(), out, threads);
  }
  return found;
}

py::tuple count_overlaps(const Bits& maps, const Indices& rows, const Floats& thresholds, const Bits& codes,
                         const Small& starts, const Small& members, py::ssize_t concepts, std::size_t threads,
                         int unit_at) {
  const nle::KeptMaps kept = kept_maps(maps, rows);
  require(thresholds.ndim() == 2 && thresholds.shape(1) == maps.shape(1), "`thresholds` must be (Q, C)");
  require(codes.ndim() == 3 && codes.shape(0) == rows.size() && codes.shape(1) == codes.shape(2) && codes.shape(1) > 0,
          "`codes` must be (len(rows), side, side)");
  require(starts.ndim() == 1 && starts.size() >= 2 && members.ndim() == 1, "`starts` must end the members of code 0");
  require(starts.at(0) == 0 && starts.at(starts.size() - 1) == members.size() && starts.at(1) == 0,
          "`starts` must cover `members`, and code 0 have none");
  for (py::ssize_t i = 1; i < starts.size(); ++i) require(starts.at(i - 1) <= starts.at(i), "`starts` must rise");
  for (py::ssize_t i = 0; i < members.size(); ++i) {
    require(members.at(i) >= 0 && members.at(i) < concepts, "`members` must be concepts");
  }
  const py::ssize_t num_codes = starts.size() - 1, quantiles = thresholds.shape(0);
  const std::uint16_t* code = codes.data();
  require(codes.size() == 0 || *std::max_element(code, code + codes.size()) < num_codes, "`codes` must be known");

  py::array_t<std::int64_t> both({quantiles, maps.shape(1), concepts}), on({quantiles, maps.shape(1)}), area(concepts);
  for (py::array_t<std::int64_t>* array : {&both, &on, &area}) {
    std::fill_n(array->mutable_data(), array->size(), std::int64_t{0});
  }
  const nle::Masks masks{code, codes.shape(1), starts.data(), members.data(), num_codes, concepts};
  const nle::Overlaps overlaps{both.mutable_data(), on.mutable_data(), area.mutable_data()};
  const float* bars = thresholds.data();
  const std::vector<nle::VectorUnit> units = nle::vector_units();
  require(unit_at >= -1 && unit_at < static_cast<int>(units.size()), "`unit` must be -1 or a place in vector_units()");
  const nle::VectorUnit unit = unit_at < 0 ? units.back() : units[static_cast<std::size_t>(unit_at)];
  {
    py::gil_scoped_release release;
    nle::count_overlaps(kept, masks, bars, quantiles, overlaps, threads, unit);
  }
  return py::make_tuple(both, on, area);
}

Floats average_ranks(const Floats& values, std::size_t threads) {
  require(values.ndim() == 2, "`values` must be (rows, columns)");
  Floats ranks({values.shape(0), values.shape(1)});
  const float* in = values.data();
  float* out = ranks.mutable_data();
  {
    py::gil_scoped_release release;
    nle::average_ranks(in, values.shape(0), values.shape(1), out, threads);
  }
  return ranks;
}

}  // namespace

void register_dissect(py::module_& m) {
  m.def("ranked_activations", &ranked_activations, py::arg("maps").noconvert(), py::arg("rows").noconvert(),
        py::arg("places").noconvert(), py::arg("threads"));
  m.def("count_overlaps", &count_overlaps, py::arg("maps").noconvert(), py::arg("rows").noconvert(),
        py::arg("thresholds").noconvert(), py::arg("codes").noconvert(), py::arg("starts").noconvert(),
        py::arg("members").noconvert(), py::arg("concepts"), py::arg("threads"), py::arg("unit") = -1,
        "(both, on, area) in pixels; `unit` is a place in vector_units(), -1 the fastest.");
  m.def("average_ranks", &average_ranks, py::arg("values").noconvert(), py::arg("threads"));
}
