#include <pybind11/pybind11.h>

#include <cstdint>

#include "stop_flag.hpp"

namespace py = pybind11;

void register_stop_flag(py::module_& m) {
  const auto function = reinterpret_cast<std::uintptr_t>(&nle::StopFlag::requested_of);
  py::class_<nle::StopFlag>(m, "StopFlag")
      .def(py::init<>())
      .def("arm", &nle::StopFlag::arm, py::arg("seconds"))
      .def("stop", &nle::StopFlag::stop)
      .def("requested", &nle::StopFlag::requested)
      .def_property_readonly("function", [function](const nle::StopFlag&) { return function; })
      .def_property_readonly("data", [](const nle::StopFlag& flag) { return reinterpret_cast<std::uintptr_t>(&flag); });
}
