#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <stdexcept>
#include <vector>

#include "regions.hpp"

namespace py = pybind11;

namespace {

using Maps = py::array_t<float, py::array::c_style>;
using Integers = py::array_t<std::int64_t, py::array::c_style>;
using Doubles = py::array_t<double, py::array::c_style>;

py::object owned(PyObject* object) {
  if (object == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::object>(object);
}

py::object number(double value) { return owned(PyFloat_FromDouble(value)); }

// The outline is most of the objects of a region: built without pybind11's casts.
py::object polygon(const std::vector<nle::Point>& outline) {
  py::object corners = owned(PyTuple_New(static_cast<Py_ssize_t>(outline.size())));
  for (std::size_t i = 0; i < outline.size(); ++i) {
    py::object corner = owned(PyTuple_New(2));
    PyTuple_SET_ITEM(corner.ptr(), 0, number(outline[i].x).release().ptr());
    PyTuple_SET_ITEM(corner.ptr(), 1, number(outline[i].y).release().ptr());
    PyTuple_SET_ITEM(corners.ptr(), static_cast<Py_ssize_t>(i), corner.release().ptr());
  }
  return corners;
}

// (area, bbox, centroid, mean, peak, outline, cells, places, cell), see regions.hpp and the type stub.
py::tuple as_tuple(const nle::FoundRegion& region, nle::PictureSize size) {
  const double pixels = static_cast<double>(size.width) * size.height;
  const double twice = 2.0 * static_cast<double>(region.area);
  py::object cells = owned(PyTuple_New(9));
  for (std::size_t cell = 0; cell < region.cells.size(); ++cell) {
    PyTuple_SET_ITEM(cells.ptr(), static_cast<Py_ssize_t>(cell),
                     number(static_cast<double>(region.cells[cell]) / pixels).release().ptr());
  }
  return py::make_tuple(
      number(static_cast<double>(region.area) / pixels),
      py::make_tuple(region.left, region.top, region.right, region.bottom),
      py::make_tuple(static_cast<double>(region.sum_x2) / twice, static_cast<double>(region.sum_y2) / twice),
      region.mean, region.peak, polygon(region.outline), cells, region.places, region.cell);
}

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

py::list find_regions(const Maps& maps, const Integers& sizes, const Doubles& windows, double threshold,
                      int connectivity, double min_area, double simplify, std::size_t threads) {
  require(maps.ndim() == 3 && maps.shape(1) > 0 && maps.shape(2) > 0, "maps must be (M, H, W)");
  require(sizes.ndim() == 2 && sizes.shape(1) == 2 && windows.ndim() == 2 && windows.shape(1) == 4,
          "sizes must be (1 or M, 2), windows (1 or M, 4)");
  const py::ssize_t count = maps.shape(0);
  require((sizes.shape(0) == 1 || sizes.shape(0) == count) && (windows.shape(0) == 1 || windows.shape(0) == count),
          "sizes and windows must have one row, or one per map");

  std::vector<nle::PictureSize> picture_sizes;
  for (py::ssize_t i = 0; i < sizes.shape(0); ++i) {
    picture_sizes.push_back({static_cast<int>(sizes.at(i, 0)), static_cast<int>(sizes.at(i, 1))});
  }
  std::vector<nle::Window> map_windows;
  for (py::ssize_t i = 0; i < windows.shape(0); ++i) {
    map_windows.push_back({windows.at(i, 0), windows.at(i, 1), windows.at(i, 2), windows.at(i, 3)});
  }
  const float* values = maps.data();
  const auto height = static_cast<int>(maps.shape(1));
  const auto width = static_cast<int>(maps.shape(2));
  const nle::RegionOptions options{threshold, connectivity == 8, min_area, simplify};

  std::vector<std::vector<nle::FoundRegion>> found;
  {
    py::gil_scoped_release released;
    found = nle::find_regions(values, static_cast<std::size_t>(count), height, width, picture_sizes, map_windows,
                              options, threads);
  }
  py::list result(static_cast<std::size_t>(count));
  for (std::size_t map = 0; map < found.size(); ++map) {
    const nle::PictureSize size = picture_sizes[picture_sizes.size() == 1 ? 0 : map];
    py::list regions(found[map].size());
    for (std::size_t i = 0; i < found[map].size(); ++i) regions[i] = as_tuple(found[map][i], size);
    result[map] = regions;
  }
  return result;
}

int places_by_area(const std::array<std::int64_t, 9>& on, int width, int height, const std::array<double, 4>& window) {
  const nle::PictureSize size{width, height};
  const nle::PixelBox box = nle::visible_pixels(size, {window[0], window[1], window[2], window[3]});
  return nle::places_by_area(on, nle::make_cells(size, box));
}

}  // namespace

void register_regions(py::module_& module) {
  module.def("find_regions", &find_regions, py::arg("maps").noconvert(), py::arg("sizes").noconvert(),
             py::arg("windows").noconvert(), py::arg("threshold"), py::arg("connectivity"), py::arg("min_area"),
             py::arg("simplify"), py::arg("threads"));
  module.def("places_by_area", &places_by_area, py::arg("cells"), py::arg("width"), py::arg("height"),
             py::arg("window"));
}
