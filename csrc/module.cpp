// The extension nle_fast._core: one register_* per topic, nothing else here.
#include <pybind11/pybind11.h>

void register_codes(pybind11::module_& m);
void register_dissect(pybind11::module_& m);
void register_heads(pybind11::module_& m);
void register_regions(pybind11::module_& m);
void register_scoring(pybind11::module_& m);
void register_stop_flag(pybind11::module_& m);

PYBIND11_MODULE(_core, m) {
  m.doc() = "C++ implementations of nle_fast.ops. Import nle_fast.ops instead.";
  register_codes(m);
  register_dissect(m);
  register_heads(m);
  register_regions(m);
  register_scoring(m);
  register_stop_flag(m);
}
