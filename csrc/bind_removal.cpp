#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>

#include "removal.hpp"

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style>;

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

Floats means_without(const Floats& class_maps, const Floats& weight, const Floats& maps) {
  require(class_maps.ndim() == 2 && class_maps.shape(1) > 0, "`class_maps` must be (K, P)");
  require(weight.ndim() == 2 && weight.shape(0) == class_maps.shape(0), "`weight` must be (K, R)");
  require(maps.ndim() == 2 && maps.shape(0) == weight.shape(1) && maps.shape(1) == class_maps.shape(1),
          "`maps` must be (R, P)");
  Floats means(class_maps.shape(0));
  const nle::ReluHead head{class_maps.data(),
                           weight.data(),
                           maps.data(),
                           static_cast<std::size_t>(class_maps.shape(0)),
                           static_cast<std::size_t>(maps.shape(0)),
                           static_cast<std::size_t>(maps.shape(1))};
  float* found = means.mutable_data();
  {
    py::gil_scoped_release released;
    nle::means_without(head, found);
  }
  return means;
}

}  // namespace

void register_removal(py::module_& module) {
  module.def("means_without", &means_without, py::arg("class_maps").noconvert(), py::arg("weight").noconvert(),
             py::arg("maps").noconvert());
}
