#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>

#include <algorithm>
#include <array>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "scoring.hpp"

namespace py = pybind11;

namespace {

nle::Element element_of(const std::string& name, py::ssize_t itemsize) {
  if (name == "float32" && itemsize == 4) return nle::Element::float32;
  if (name == "float16" && itemsize == 2) return nle::Element::float16;
  if (name == "bfloat16" && itemsize == 2) return nle::Element::bfloat16;
  throw std::invalid_argument("`element` must be float32, float16 or bfloat16 and fit the arrays, got " + name);
}

const char* name_of(nle::VectorUnit unit) {
  constexpr const char* kNames[] = {"generic", "avx2", "avx512"};
  return kNames[static_cast<int>(unit)];
}

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

// ---- the short way in: arrays that need no conversion, looked at once

// What scoring reads of an array, a view.
struct View {
  const void* data = nullptr;
  nle::Element element = nle::Element::float32;
  std::array<py::ssize_t, 4> shape{};
  std::size_t rank = 0;
};

py::object owned(PyObject* object) {
  if (object == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(object);
}

// Names of attributes, made once: making them would take as long as looking them up.
struct Names {
  PyObject* is_neg = PyUnicode_InternFromString("is_neg");
  std::array<PyObject*, 4> fields = {PyUnicode_InternFromString("values"), PyUnicode_InternFromString("neurons"),
                                     PyUnicode_InternFromString("maps"), PyUnicode_InternFromString("total")};
};
const Names& names() {
  static const Names all;
  return all;
}

// What DLPack (dmlc.github.io/dlpack, version 1) lays out in memory, as far as it is read here.
namespace dlpack {
constexpr std::int32_t kCpu = 1;
constexpr std::uint8_t kFloat = 2, kBfloat = 4;
struct Tensor {
  void* data;
  std::int32_t device, device_index, rank;
  std::uint8_t code, bits;
  std::uint16_t lanes;
  std::int64_t *shape, *strides;
  std::uint64_t offset;
};
struct Exchange {
  std::uint32_t major, minor;
  const Exchange* older;
  void *allocate, *from_object, *to_object;
  int (*look)(void* object, Tensor* tensor);  // borrows; 0, or -1 with a Python error
};
}  // namespace dlpack

// Torch as its user imported it; nothing here imports it.
struct Torch {
  PyObject* tensor = nullptr;
  int (*look)(void*, dlpack::Tensor*) = nullptr;

  // Null without torch, or with one that is older than DLPack's exchange in C.
  static const Torch* find() {
    static const Torch* known = nullptr;  // kept for the life of the process, as torch itself is
    if (known == nullptr) {
      const py::dict modules = py::module_::import("sys").attr("modules");
      constexpr const char* kExchange = "__dlpack_c_exchange_api__";
      if (!modules.contains("torch") || !py::hasattr(modules["torch"], "Tensor")) return nullptr;
      const py::object tensor = modules["torch"].attr("Tensor");
      if (!py::hasattr(tensor, kExchange)) return nullptr;
      const py::object capsule = tensor.attr(kExchange);
      const auto* exchange =
          static_cast<const dlpack::Exchange*>(PyCapsule_GetPointer(capsule.ptr(), "dlpack_exchange_api"));
      PyErr_Clear();  // of a capsule with another name
      if (exchange == nullptr || exchange->major != 1 || exchange->look == nullptr) return nullptr;
      known = new Torch{py::object(tensor).release().ptr(), exchange->look};
    }
    return known;
  }
};

bool set_shape(View& view, const py::ssize_t* lengths, std::size_t rank) {
  view.rank = rank;
  if (rank != 2 && rank != 4) return false;
  std::copy_n(lengths, rank, view.shape.begin());
  return std::all_of(lengths, lengths + rank, [](py::ssize_t length) { return length > 0; });
}

// Float32 and float16 arrays of NumPy that lie as C would lay them, in the byte order of this machine.
bool look_at_array(const py::array& array, View& view) {
  constexpr int kFloat32 = 11, kFloat16 = 23, kAligned = 0x0100;
  const py::dtype type = array.dtype();
  if ((type.num() != kFloat32 && type.num() != kFloat16) || type.byteorder() != '=') return false;
  if ((array.flags() & py::array::c_style) == 0 || (array.flags() & kAligned) == 0) return false;
  view.data = array.data();
  view.element = type.num() == kFloat32 ? nle::Element::float32 : nle::Element::float16;
  return set_shape(view, array.shape(), static_cast<std::size_t>(array.ndim()));
}

// Plain tensors of the CPU; the extension is built without torch.
bool look_at_tensor(py::handle given, const Torch& torch, View& view) {
  dlpack::Tensor tensor;
  if (torch.look(given.ptr(), &tensor) != 0) throw py::error_already_set();
  if (tensor.device != dlpack::kCpu || tensor.lanes != 1 || tensor.data == nullptr) return false;
  if (tensor.code == dlpack::kFloat && tensor.bits == 32) {
    view.element = nle::Element::float32;
  } else if (tensor.code == dlpack::kFloat && tensor.bits == 16) {
    view.element = nle::Element::float16;
  } else if (tensor.code == dlpack::kBfloat && tensor.bits == 16) {
    view.element = nle::Element::bfloat16;
  } else {
    return false;
  }
  view.data = static_cast<const char*>(tensor.data) + tensor.offset;
  std::array<py::ssize_t, 4> lengths{};
  if (tensor.rank > 4) return false;
  const auto rank = static_cast<std::size_t>(tensor.rank);
  std::copy_n(tensor.shape, rank, lengths.begin());
  py::ssize_t step = 1;
  for (std::size_t axis = rank; axis-- > 0; step *= lengths[axis]) {
    if (lengths[axis] > 1 && tensor.strides != nullptr && tensor.strides[axis] != step) return false;
  }
  // The memory of a tensor that is negated when read holds the opposite.
  if (owned(PyObject_CallMethodNoArgs(given.ptr(), names().is_neg)).ptr() != Py_False) return false;
  return set_shape(view, lengths.data(), rank);
}

bool look_at(py::handle given, View& view) {
  if (py::isinstance<py::array>(given)) return look_at_array(py::reinterpret_borrow<py::array>(given), view);
  const Torch* torch = Torch::find();
  if (torch == nullptr || reinterpret_cast<PyObject*>(Py_TYPE(given.ptr())) != torch->tensor) return false;
  try {
    return look_at_tensor(given, *torch, view);
  } catch (py::error_already_set&) {
    return false;  // sparse, or without memory of its own, as torch.func makes them
  }
}

bool equal(py::handle text, const char* expected) {
  return PyUnicode_Check(text.ptr()) && PyUnicode_CompareWithASCIIString(text.ptr(), expected) == 0;
}

// An array whose values are not set yet. pybind11's own constructor takes twice as long.
struct Fresh {
  py::object array;
  void* data;
};
template <class T>
Fresh fresh(std::initializer_list<py::ssize_t> shape) {
  static PyObject* const type = py::dtype::of<T>().release().ptr();
  const auto& numpy = py::detail::npy_api::get();
  Py_INCREF(type);  // which the call takes
  py::object array = owned(numpy.PyArray_NewFromDescr_(numpy.PyArray_Type_, type, static_cast<int>(shape.size()),
                                                       shape.begin(), nullptr, nullptr, 0, nullptr));
  void* data = py::detail::array_proxy(array.ptr())->data;
  return {std::move(array), data};
}

// TopNeurons of arrays that are plain and options that are right, or None: then the caller checks, converts and names
// what is wrong. `top_type` is nle_fast.ops.scoring.TopNeurons.
py::object score_plain(py::handle activations, py::handle gradients, py::handle k, py::handle reduce, py::handle sign,
                       py::handle threads, py::handle top_type) {
  View maps, slopes;
  if (!PyLong_CheckExact(k.ptr()) || !look_at(activations, maps) || !look_at(gradients, slopes)) return py::none();
  const auto [n, neurons, height, width] = maps.shape;
  const py::ssize_t wanted = PyLong_AsSsize_t(k.ptr());
  const bool same = std::equal(maps.shape.begin(), maps.shape.begin() + slopes.rank, slopes.shape.begin());
  if (maps.rank != 4 || !same || maps.element != slopes.element || wanted < 1 || wanted > neurons) {
    PyErr_Clear();  // of a k beyond all numbers
    return py::none();
  }
  // Only small work is done on one thread unasked; how many threads the rest gets is the caller's choice.
  constexpr py::ssize_t kSmall = 1 << 20;
  const bool one = PyLong_CheckExact(threads.ptr()) && PyLong_AsSsize_t(threads.ptr()) == 1;
  PyErr_Clear();
  if (!one && !(threads.is_none() && (n == 1 || n * neurons * height * width < kSmall))) return py::none();
  const bool maximum = equal(reduce, "max"), both = equal(sign, "both");
  const bool supporting = both || equal(sign, "supporting"), opposing = both || equal(sign, "opposing");
  if ((!maximum && !equal(reduce, "sum")) || (!supporting && !opposing)) return py::none();

  static const nle::VectorUnit unit = nle::vector_units().back();
  const py::ssize_t kept = wanted * (int{supporting} + int{opposing});
  const auto values = fresh<float>({n, kept}), planes = fresh<float>({n, kept, height, width}),
             total = fresh<float>({n});
  const auto chosen = fresh<std::int64_t>({n, kept});
  std::vector<std::int64_t> bad(static_cast<std::size_t>(n));
  const nle::ScoreInput input{maps.data, slopes.data, maps.element, slopes.rank == 2, n, neurons, height * width};
  const nle::ScoreOptions options{maximum ? nle::Reduce::max : nle::Reduce::sum, supporting, opposing, wanted, 1, unit};
  const nle::ScoreOutput output{static_cast<float*>(values.data), static_cast<std::int64_t*>(chosen.data),
                                static_cast<float*>(planes.data), static_cast<float*>(total.data), bad.data()};
  {
    py::gil_scoped_release release;
    nle::score_neurons(input, options, output);
  }
  if (std::any_of(bad.begin(), bad.end(), [](std::int64_t neuron) { return neuron >= 0; })) return py::none();

  auto* type = reinterpret_cast<PyTypeObject*>(top_type.ptr());
  py::object top = owned(type->tp_alloc(type, 0));
  const std::array<py::handle, 4> found = {values.array, chosen.array, planes.array, total.array};
  for (std::size_t i = 0; i < found.size(); ++i) {
    // As object.__setattr__, which a frozen dataclass's own initialiser uses.
    if (PyObject_GenericSetAttr(top.ptr(), names().fields[i], found[i].ptr()) != 0) throw py::error_already_set();
  }
  return top;
}

}  // namespace

void register_scoring(py::module_& m) {
  m.def("score_neurons", &score_neurons, py::arg("activations"), py::arg("gradients"), py::arg("element"), py::arg("k"),
        py::arg("maximum"), py::arg("supporting"), py::arg("opposing"), py::arg("threads"), py::arg("unit") = "",
        "(values, neurons, maps, total, bad); `bad` holds, per picture, the first neuron that is not finite, or -1.");
  m.def("score_plain", &score_plain,
        "TopNeurons on one thread, or None where an array or option is not as plain as this way takes them.");
  m.def(
      "vector_units",
      [] {
        py::list names;
        for (const nle::VectorUnit unit : nle::vector_units()) names.append(name_of(unit));
        return names;
      },
      "Names of the vector units that scoring can use on this machine, slowest first.");
}
