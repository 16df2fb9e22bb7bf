#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>

#include "removal.hpp"

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style>;
using Indices = py::array_t<std::int64_t, py::array::c_style>;

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

Floats means_without(const Floats& class_maps, const Floats& weight, const Floats& maps, const Indices& removed) {
  require(class_maps.ndim() == 2 && class_maps.shape(1) > 0, "`class_maps` must be (K, P)");
  require(weight.ndim() == 2 && weight.shape(0) == class_maps.shape(0), "`weight` must be (K, C)");
  require(maps.ndim() == 2 && maps.shape(0) == weight.shape(1) && maps.shape(1) == class_maps.shape(1),
          "`maps` must be (C, P)");
  require(removed.ndim() == 1, "`neurons` must be one list");
  for (py::ssize_t i = 0; i < removed.size(); ++i) {
    require(removed.at(i) >= 0 && removed.at(i) < maps.shape(0), "`neurons` must lie in the maps");
  }
  Floats means(class_maps.shape(0));
  const nle::ReluHead head{class_maps.data(),
                           weight.data(),
                           maps.data(),
                           static_cast<std::size_t>(class_maps.shape(0)),
                           static_cast<std::size_t>(maps.shape(0)),
                           static_cast<std::size_t>(maps.shape(1))};
  float* found = means.mutable_data();
  const std::int64_t* neurons = removed.data();
  {
    py::gil_scoped_release released;
    nle::means_without(head, neurons, static_cast<std::size_t>(removed.size()), found);
  }
  return means;
}

}  // namespace

void register_removal(py::module_& module) {
  module.def("means_without", &means_without, py::arg("class_maps").noconvert(), py::arg("weight").noconvert(),
             py::arg("maps").noconvert(), py::arg("neurons").noconvert());
}
