#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <stdexcept>
#include <string>

#include "scoring.hpp"

namespace py = pybind11;

namespace {

nle::Element element_of(const std::string& name, py::ssize_t itemsize) {
  if (name == "float32" && itemsize == 4) return nle::Element::float32;
  if (name == "float16" && itemsize == 2) return nle::Element::float16;
  if (name == "bfloat16" && itemsize == 2) return nle::Element::bfloat16;
  throw std::invalid_argument("`element` must be float32, float16 or bfloat16 and fit the arrays, got " + name);
}

const char* name_of(nle::VectorUnit unit) { return unit == nle::VectorUnit::avx2 ? "avx2" : "generic"; }

nle::VectorUnit unit_of(const std::string& name) {
  const auto units = nle::vector_units();
  if (name.empty()) return units.back();
  for (const nle::VectorUnit unit : units) {
    if (name == name_of(unit)) return unit;
  }
  throw std::invalid_argument("`unit` must be one of vector_units(), got " + name);
}

// The arrays come checked from nle_fast.ops.scoring; what is checked again here is what memory safety rests on.
py::tuple score_neurons(const py::array& activations, const py::array& gradients, const std::string& element,
                        py::ssize_t k, bool maximum, bool supporting, bool opposing, std::size_t threads,
                        const std::string& unit) {
  const bool constant = gradients.ndim() == 2;
  const auto require = [](bool holds, const char* message) {
    if (!holds) throw std::invalid_argument(message);
  };
  require(activations.ndim() == 4 && activations.size() > 0, "`activations` must be (N, C, H, W) and not empty");
  require(constant || gradients.ndim() == 4, "`gradients` must have 4 or 2 dimensions");
  for (py::ssize_t axis = 0; axis < gradients.ndim(); ++axis) {
    require(gradients.shape(axis) == activations.shape(axis), "`gradients` must have the shape of `activations`");
  }
  require((activations.flags() & gradients.flags() & py::array::c_style) != 0, "both arrays must be contiguous");
  require(activations.itemsize() == gradients.itemsize(), "both arrays must have the same dtype");
  require(k >= 1 && k <= activations.shape(1), "`k` must be from 1 to the number of neurons");
  require(supporting || opposing, "`supporting` or `opposing` must be set");

  const py::ssize_t n = activations.shape(0), height = activations.shape(2), width = activations.shape(3);
  const py::ssize_t kept = k * (int{supporting} + int{opposing});
  py::array_t<float> values({n, kept}), maps({n, kept, height, width}), total({n});
  py::array_t<std::int64_t> neurons({n, kept}), bad({n});
  const nle::ScoreInput input{
      activations.data(),   gradients.data(), element_of(element, activations.itemsize()), constant, n,
      activations.shape(1), height * width};
  const nle::ScoreOptions options{
      maximum ? nle::Reduce::max : nle::Reduce::sum, supporting, opposing, k, threads, unit_of(unit)};
  const nle::ScoreOutput output{values.mutable_data(), neurons.mutable_data(), maps.mutable_data(),
                                total.mutable_data(), bad.mutable_data()};
  {
    py::gil_scoped_release release;
    nle::score_neurons(input, options, output);
  }
  return py::make_tuple(values, neurons, maps, total, bad);
}

}  // namespace

void register_scoring(py::module_& m) {
  m.def("score_neurons", &score_neurons, py::arg("activations"), py::arg("gradients"), py::arg("element"), py::arg("k"),
        py::arg("maximum"), py::arg("supporting"), py::arg("opposing"), py::arg("threads"), py::arg("unit") = "",
        "(values, neurons, maps, total, bad); `bad` holds, per picture, the first neuron that is not finite, or -1.");
  m.def(
      "vector_units",
      [] {
        py::list names;
        for (const nle::VectorUnit unit : nle::vector_units()) names.append(name_of(unit));
        return names;
      },
      "Names of the vector units that scoring can use on this machine, slowest first.");
}
