#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "removal.hpp"

namespace py = pybind11;

namespace {

using Floats = py::array_t<float, py::array::c_style>;
using Strided = py::array_t<float, 0>;
using Indices = py::array_t<std::int64_t, py::array::c_style>;

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

void require_within(const Indices& indices, py::ssize_t count, const char* message) {
  for (py::ssize_t i = 0; i < indices.size(); ++i) {
    if (indices.data()[i] < 0 || indices.data()[i] >= count) throw py::index_error(message);
  }
}

// (sets, asked): what `remove` leaves of each row of `given`.
Floats removed(const Floats& given, const Strided& weight, const Floats& maps, const Indices& sets,
               const std::optional<Indices>& classes, void (*remove)(const nle::Removal&, float*)) {
  const py::ssize_t item = sizeof(float), asked = given.shape(0);
  require(maps.ndim() == 2 && maps.shape(1) > 0, "`maps` must be (C, P)");
  require(weight.ndim() == 2 && weight.shape(1) == maps.shape(0), "`weight` must be (K, C)");
  require(weight.strides(0) % item == 0 && weight.strides(1) % item == 0, "`weight` must be aligned");
  require(sets.ndim() == 2, "`sets` must be (M, k)");
  require_within(sets, maps.shape(0), "`sets` must be neurons");
  if (classes) {
    require(classes->ndim() == 1 && classes->size() == asked, "`classes` must be one per row that is given");
    require_within(*classes, weight.shape(0), "`classes` must be classes");
  } else {
    require(weight.shape(0) == asked, "`weight` must have as many rows as are given");
  }
  const nle::Removal removal{
      given.data(),
      {weight.data(), weight.strides(0) / item, weight.strides(1) / item, classes ? classes->data() : nullptr,
       static_cast<std::size_t>(asked)},
      maps.data(),
      static_cast<std::size_t>(maps.shape(1)),
      {sets.data(), static_cast<std::size_t>(sets.shape(0)), static_cast<std::size_t>(sets.shape(1))}};
  Floats result({sets.shape(0), asked});
  float* found = result.mutable_data();
  {
    py::gil_scoped_release released;
    remove(removal, found);
  }
  return result;
}

Floats logits_without(const Floats& logits, const Strided& weight, const Floats& maps, const Indices& sets,
                      const std::optional<Indices>& classes) {
  require(logits.ndim() == 1, "`logits` must be (A,)");
  return removed(logits, weight, maps, sets, classes, nle::logits_without);
}

Floats means_without(const Floats& class_maps, const Strided& weight, const Floats& maps, const Indices& sets,
                     const std::optional<Indices>& classes) {
  require(class_maps.ndim() == 2 && maps.ndim() == 2 && class_maps.shape(1) == maps.shape(1),
          "`class_maps` must be (A, P)");
  return removed(class_maps, weight, maps, sets, classes, nle::means_without);
}

py::tuple find_winner(const Floats& logits, std::optional<py::ssize_t> index) {
  require(logits.ndim() == 1 && logits.size() > 0, "`logits` must be (K,)");
  if (index && (*index < 0 || *index >= logits.size())) throw py::index_error("`index` must be a class");
  const float* values = logits.data();
  const float* largest = std::max_element(values, values + logits.size());  // the first of equal ones
  const py::ssize_t winner = largest - values;
  return py::make_tuple(winner, nle::probability(values, static_cast<std::size_t>(logits.size()), *largest,
                                                 values[index.value_or(winner)]));
}

}  // namespace

void register_removal(py::module_& module) {
  for (const auto& [name, function] :
       {std::pair{"logits_without", &logits_without}, {"means_without", &means_without}}) {
    module.def(name, function, py::arg("given").noconvert(), py::arg("weight").noconvert(), py::arg("maps").noconvert(),
               py::arg("sets").noconvert(), py::arg("classes").noconvert() = py::none());
  }
  module.def("find_winner", &find_winner, py::arg("logits").noconvert(), py::arg("index") = py::none());
}
