#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>

#include "codes.hpp"
#include "parallel.hpp"

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style>;

Floats sparse_codes(Floats projections, std::size_t active, std::size_t threads, bool overwrite) {
  if (projections.ndim() != 4) throw std::invalid_argument("`projections` must be (N, K, H, W)");
  if (active < 1) throw std::invalid_argument("`active` must be at least 1");
  Floats codes = projections;
  if (!overwrite) {
    codes = Floats({projections.shape(0), projections.shape(1), projections.shape(2), projections.shape(3)});
  }
  const auto pictures = static_cast<std::size_t>(projections.shape(0));
  const auto features = static_cast<std::size_t>(projections.shape(1));
  const auto positions = static_cast<std::size_t>(projections.shape(2) * projections.shape(3));
  const float* given = projections.data();
  float* found = codes.mutable_data();
  {
    py::gil_scoped_release released;
    nle::parallel_for(pictures, threads, [&](std::size_t n) {
      const std::size_t start = n * features * positions;
      nle::sparse_codes(given + start, features, positions, active, found + start);
    });
  }
  return codes;
}

Floats reconstruct(const Floats& codes, const Floats& directions, std::size_t threads) {
  if (codes.ndim() != 4) throw std::invalid_argument("`codes` must be (N, K, H, W)");
  if (directions.ndim() != 2 || directions.shape(0) != codes.shape(1)) {
    throw std::invalid_argument("`directions` must be (K, C)");
  }
  Floats maps({codes.shape(0), directions.shape(1), codes.shape(2), codes.shape(3)});
  const auto pictures = static_cast<std::size_t>(codes.shape(0));
  const auto features = static_cast<std::size_t>(codes.shape(1));
  const auto channels = static_cast<std::size_t>(directions.shape(1));
  const auto positions = static_cast<std::size_t>(codes.shape(2) * codes.shape(3));
  const float *given = codes.data(), *rows = directions.data();
  float* found = maps.mutable_data();
  {
    py::gil_scoped_release released;
    nle::parallel_for(pictures, threads, [&](std::size_t n) {
      nle::reconstruct(given + n * features * positions, rows, features, channels, positions,
                       found + n * channels * positions);
    });
  }
  return maps;
}

Floats weighed(const Floats& maps, const Floats& slopes, std::size_t threads) {
  if (maps.ndim() != 4) throw std::invalid_argument("`maps` must be (N, C, H, W)");
  const py::ssize_t rank = slopes.ndim();
  const bool shared = rank == 4 && slopes.shape(1) == 1;
  for (py::ssize_t axis = 0; axis < rank; ++axis) {
    if ((rank != 2 && rank != 4) || (slopes.shape(axis) != maps.shape(axis) && !(shared && axis == 1))) {
      throw std::invalid_argument("`slopes` must be (N, C), (N, 1, H, W) or (N, C, H, W)");
    }
  }
  const nle::Spread spread = rank == 2 ? nle::Spread::constant : shared ? nle::Spread::shared : nle::Spread::own;
  const auto pictures = static_cast<std::size_t>(maps.shape(0));
  const auto channels = static_cast<std::size_t>(maps.shape(1));
  const auto positions = static_cast<std::size_t>(maps.shape(2) * maps.shape(3));
  const std::size_t step = pictures == 0 ? 0 : static_cast<std::size_t>(slopes.size()) / pictures;
  Floats sums({maps.shape(0), maps.shape(1)});
  const float *given = maps.data(), *weights = slopes.data();
  float* found = sums.mutable_data();
  {
    py::gil_scoped_release released;
    nle::parallel_for(pictures, threads, [&](std::size_t n) {
      nle::weighed(given + n * channels * positions, weights + n * step, spread, channels, positions,
                   found + n * channels);
    });
  }
  return sums;
}

}  // namespace

void register_codes(py::module_& module) {
  module.def("sparse_codes", &sparse_codes, py::arg("projections").noconvert(), py::arg("active"), py::arg("threads"),
             py::arg("overwrite") = false);
  module.def("reconstruct", &reconstruct, py::arg("codes").noconvert(), py::arg("directions").noconvert(),
             py::arg("threads"));
  module.def("weighed", &weighed, py::arg("maps").noconvert(), py::arg("slopes").noconvert(), py::arg("threads"));
}
