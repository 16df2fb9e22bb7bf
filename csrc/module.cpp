// The extension nle_fast._core: one register_* per topic, nothing else here.
#include <pybind11/pybind11.h>

PYBIND11_MODULE(_core, m) { m.doc() = "C++ implementations of nle_fast.ops. Import nle_fast.ops instead."; }
