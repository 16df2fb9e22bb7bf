#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <algorithm>
#include <optional>
#include <stdexcept>
#include <vector>

#include "heads.hpp"

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

void require_below(const Indices& indices, py::ssize_t count, const char* message) {
  for (py::ssize_t i = 0; i < indices.size(); ++i) {
    if (indices.data()[i] >= count) throw py::index_error(message);
  }
}

// The strides of weights, in elements.
struct Strides {
  std::ptrdiff_t row, column;
};
Strides strides_of(const Strided& weight) {
  const py::ssize_t item = sizeof(float);
  require(weight.strides(0) % item == 0 && weight.strides(1) % item == 0, "`weight` must be aligned");
  return {weight.strides(0) / item, weight.strides(1) / item};
}

// The weights of a class; null where it is negative, none.
const float* row_of(const Strided& weight, std::int64_t label) {
  return label < 0 ? nullptr : weight.data() + label * strides_of(weight).row;
}

// (sets, asked): what `remove` leaves of each row of `given`.
Floats removed(const Floats& given, const Strided& weight, const Floats& maps, const Indices& sets,
               const std::optional<Indices>& classes, void (*remove)(const nle::Removal&, float*)) {
  const py::ssize_t asked = given.shape(0);
  require(maps.ndim() == 2 && maps.shape(1) > 0, "`maps` must be (C, P)");
  require(weight.ndim() == 2 && weight.shape(1) == maps.shape(0), "`weight` must be (K, C)");
  const Strides strides = strides_of(weight);
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
      {weight.data(), strides.row, strides.column, classes ? classes->data() : nullptr,
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

// Pictures and the classes that they are explained for: the winner, of equal logits the lowest, where none is asked
// for.
struct Asked {
  Asked(const Floats& logits, const Strided& weight, const Indices& target, const Indices& versus)
      : chosen(logits.ndim() == 2 ? logits.shape(0) : 0) {
    require(logits.ndim() == 2 && weight.ndim() == 2 && logits.shape(1) == weight.shape(0) && weight.shape(0) > 0,
            "`logits` must be (N, K) and `weight` (K, C)");
    const py::ssize_t count = logits.shape(0), classes = weight.shape(0);
    require(target.ndim() == 1 && target.size() == count && versus.ndim() == 1 && versus.size() == count,
            "`target` and `versus` must be (N,)");
    require_below(target, classes, "`target` must be classes");
    require_below(versus, classes, "`versus` must be classes");
    for (py::ssize_t n = 0; n < count; ++n) {
      const float* row = logits.data() + n * classes;
      const std::int64_t asked = target.data()[n];
      chosen.mutable_data()[n] = asked >= 0 ? asked : std::max_element(row, row + classes) - row;
    }
  }

  Indices chosen;
};

py::tuple pooled_gradients(const Floats& logits, const Strided& weight, const Indices& target, const Indices& versus,
                           py::ssize_t positions) {
  const Asked asked(logits, weight, target, versus);
  require(positions > 0, "`positions` must be positive");
  const py::ssize_t count = logits.shape(0), neurons = weight.shape(1);
  const std::ptrdiff_t column = strides_of(weight).column;
  const float share = 1.0f / static_cast<float>(positions);
  Floats gradients({count, neurons});
  for (py::ssize_t n = 0; n < count; ++n) {
    nle::pooled_gradient(row_of(weight, asked.chosen.data()[n]), row_of(weight, versus.data()[n]), column,
                         static_cast<std::size_t>(neurons), share, gradients.mutable_data() + n * neurons);
  }
  return py::make_tuple(asked.chosen, gradients);
}

py::tuple rectified_gradients(const Floats& logits, const Strided& weight, const Floats& bias,
                              const Floats& activations, const Indices& target, const Indices& versus) {
  const Asked asked(logits, weight, target, versus);
  const py::ssize_t count = logits.shape(0), neurons = weight.shape(1);
  require(bias.ndim() == 1 && bias.size() == weight.shape(0), "`bias` must be (K,)");
  require(activations.ndim() == 4 && activations.shape(0) == count && activations.shape(1) == neurons &&
              activations.shape(2) > 0 && activations.shape(3) > 0,
          "`activations` must be (N, C, H, W)");
  const py::ssize_t positions = activations.shape(2) * activations.shape(3);
  const std::ptrdiff_t column = strides_of(weight).column;
  Floats gradients({count, neurons, activations.shape(2), activations.shape(3)});
  struct Picture {
    const float *row, *rival;
    float bias, rival_bias;
  };
  std::vector<Picture> pictures;
  for (py::ssize_t n = 0; n < count; ++n) {
    const std::int64_t label = asked.chosen.data()[n], rival = versus.data()[n];
    pictures.push_back(
        {row_of(weight, label), row_of(weight, rival), bias.data()[label], rival < 0 ? 0.0f : bias.data()[rival]});
  }
  const float* maps = activations.data();
  float* found = gradients.mutable_data();
  {
    py::gil_scoped_release released;
    for (const Picture& picture : pictures) {
      nle::rectified_gradient(picture.row, picture.bias, picture.rival, picture.rival_bias, column,
                              static_cast<std::size_t>(neurons), maps, static_cast<std::size_t>(positions), found);
      maps += neurons * positions;
      found += neurons * positions;
    }
  }
  return py::make_tuple(asked.chosen, gradients);
}

py::tuple rectified_gates(const Strided& weight, const Floats& bias, const Floats& activations,
                          const Indices& classes) {
  require(weight.ndim() == 2 && bias.ndim() == 1 && bias.size() == weight.shape(0),
          "`weight` must be (K, C), `bias` (K,)");
  require(activations.ndim() == 4 && activations.shape(1) == weight.shape(1) && activations.shape(2) > 0 &&
              activations.shape(3) > 0,
          "`activations` must be (N, C, H, W)");
  const py::ssize_t count = activations.shape(0), neurons = weight.shape(1);
  require(classes.ndim() == 1 && classes.size() == count, "`classes` must be (N,)");
  require_below(classes, weight.shape(0), "`classes` must be classes");
  const py::ssize_t positions = activations.shape(2) * activations.shape(3);
  const std::ptrdiff_t column = strides_of(weight).column;
  Floats gates({count, py::ssize_t{1}, activations.shape(2), activations.shape(3)}), sums(count);
  float *gate = gates.mutable_data(), *sum = sums.mutable_data();
  std::fill_n(gate, gates.size(), 0.0f);
  std::fill_n(sum, count, 0.0f);
  for (py::ssize_t n = 0; n < count; ++n) {
    const std::int64_t label = classes.data()[n];
    if (label < 0) continue;
    sum[n] = nle::open_gate(row_of(weight, label), bias.data()[label], column, static_cast<std::size_t>(neurons),
                            activations.data() + n * neurons * positions, static_cast<std::size_t>(positions),
                            gate + n * positions);
  }
  return py::make_tuple(gates, sums);
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

void register_heads(py::module_& module) {
  for (const auto& [name, function] :
       {std::pair{"logits_without", &logits_without}, {"means_without", &means_without}}) {
    module.def(name, function, py::arg("given").noconvert(), py::arg("weight").noconvert(), py::arg("maps").noconvert(),
               py::arg("sets").noconvert(), py::arg("classes").noconvert() = py::none());
  }
  module.def("pooled_gradients", &pooled_gradients, py::arg("logits").noconvert(), py::arg("weight").noconvert(),
             py::arg("target").noconvert(), py::arg("versus").noconvert(), py::arg("positions"));
  module.def("rectified_gradients", &rectified_gradients, py::arg("logits").noconvert(), py::arg("weight").noconvert(),
             py::arg("bias").noconvert(), py::arg("activations").noconvert(), py::arg("target").noconvert(),
             py::arg("versus").noconvert());
  module.def("rectified_gates", &rectified_gates, py::arg("weight").noconvert(), py::arg("bias").noconvert(),
             py::arg("activations").noconvert(), py::arg("classes").noconvert());
  module.def("find_winner", &find_winner, py::arg("logits").noconvert(), py::arg("index") = py::none());
}
