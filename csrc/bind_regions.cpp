#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <utility>
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

// A whole number as a float. The small ones, of which outlines are full, are made once and kept, as Python keeps small
// integers.
py::object whole(std::int64_t value) {
  static std::array<PyObject*, 1025> kept{};
  if (value < 0 || value >= static_cast<std::int64_t>(kept.size())) {
    return owned(PyFloat_FromDouble(static_cast<double>(value)));
  }
  PyObject*& number = kept[static_cast<std::size_t>(value)];
  if (number == nullptr) number = owned(PyFloat_FromDouble(static_cast<double>(value))).release().ptr();
  return py::reinterpret_borrow<py::object>(number);
}

// Regions are made with the C API: through the initialiser of a frozen dataclass and pybind11's casts, making the
// objects would take as long as finding the regions.
class Tuple {
 public:
  explicit Tuple(std::size_t size) : tuple_(owned(PyTuple_New(static_cast<Py_ssize_t>(size)))) {}
  Tuple& add(py::object item) {
    PyTuple_SET_ITEM(tuple_.ptr(), next_++, item.release().ptr());
    return *this;
  }
  Tuple& add(double value) { return add(owned(PyFloat_FromDouble(value))); }
  Tuple& add(int value) { return add(owned(PyLong_FromLong(value))); }
  py::object take() { return std::move(tuple_); }
  // For one that holds numbers, or others of this kind: the cyclic garbage collector need not know it. It would look at
  // each of the thousands of points as soon as they are made, and find the same.
  py::object take_plain() {
    PyObject_GC_UnTrack(tuple_.ptr());
    return take();
  }

 private:
  py::object tuple_;
  Py_ssize_t next_ = 0;
};

constexpr std::array<const char*, 8> kFields = {"area", "bbox",    "centroid", "mean",
                                                "peak", "outline", "position", "cells"};

// Makes objects of nle_fast.schema.Region, handed in as `type`, whose fields must be kFields.
class RegionMaker {
 public:
  RegionMaker(const py::type& type, py::tuple merged, py::tuple cells)
      : type_(reinterpret_cast<PyTypeObject*>(type.ptr())), merged_(std::move(merged)), cells_(std::move(cells)) {
    for (std::size_t i = 0; i < kFields.size(); ++i) names_[i] = owned(PyUnicode_InternFromString(kFields[i]));
    const py::tuple fields = type.attr("__match_args__");
    bool same = fields.size() == names_.size() && merged_.size() == 512 && cells_.size() == 9;
    for (std::size_t i = 0; same && i < names_.size(); ++i) same = names_[i].equal(fields[i]);
    if (!same) throw std::invalid_argument("region_type must have the fields of Region, names 512 and 9 entries");
  }

  py::object operator()(const nle::FoundRegion& found, nle::PictureSize size) const {
    const double pixels = static_cast<double>(size.width) * size.height;
    const double twice = 2.0 * static_cast<double>(found.area);
    Tuple outline(found.outline.size());
    for (const nle::Point& corner : found.outline) {
      outline.add(Tuple(2).add(whole(corner.x)).add(whole(corner.y)).take_plain());
    }
    Tuple cells(9);
    for (const std::int64_t area : found.cells) {
      cells.add(area == 0 ? whole(0) : owned(PyFloat_FromDouble(static_cast<double>(area) / pixels)));
    }
    // One name if the cells merge into one, else that of the main cell.
    py::object position = merged_[found.places];
    if (position.is_none()) position = cells_[static_cast<std::size_t>(found.cell)];

    py::object region = owned(type_->tp_alloc(type_, 0));
    const auto set = [&](std::size_t field, const py::object& value) {
      // As object.__setattr__, which a frozen dataclass's own initialiser uses.
      if (PyObject_GenericSetAttr(region.ptr(), names_[field].ptr(), value.ptr()) != 0) throw py::error_already_set();
    };
    set(0, owned(PyFloat_FromDouble(static_cast<double>(found.area) / pixels)));
    set(1, Tuple(4).add(found.left).add(found.top).add(found.right).add(found.bottom).take_plain());
    set(2, Tuple(2)
               .add(static_cast<double>(found.sum_x2) / twice)
               .add(static_cast<double>(found.sum_y2) / twice)
               .take_plain());
    set(3, owned(PyFloat_FromDouble(found.mean)));
    set(4, owned(PyFloat_FromDouble(found.peak)));
    set(5, outline.take_plain());
    set(6, position);
    set(7, cells.take_plain());
    return region;
  }

 private:
  PyTypeObject* type_;
  py::tuple merged_, cells_;
  std::array<py::object, kFields.size()> names_;
};

void require(bool holds, const char* message) {
  if (!holds) throw std::invalid_argument(message);
}

py::object take_words(const nle::ChosenPlaces& chosen, const py::tuple& words) {
  Tuple taken(static_cast<std::size_t>((chosen.first >= 0) + (chosen.second >= 0)));
  for (const int word : {chosen.first, chosen.second}) {
    if (word >= 0) taken.add(py::object(words[static_cast<std::size_t>(word)]));
  }
  return taken.take_plain();
}

py::object find_regions(const Maps& maps, const Integers& sizes, const Doubles& windows, double threshold,
                        int connectivity, double min_area, double simplify, std::size_t threads,
                        const py::type& region_type, py::tuple merged_names, py::tuple cell_names,
                        const std::optional<py::tuple>& position_names, const py::tuple& place_words) {
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
  require(!position_names || (position_names->size() == 512 && place_words.size() == 12),
          "position_names must have 512 entries, place_words 12");
  const RegionMaker make(region_type, std::move(merged_names), std::move(cell_names));
  const float* values = maps.data();
  const auto height = static_cast<int>(maps.shape(1));
  const auto width = static_cast<int>(maps.shape(2));
  const nle::RegionOptions options{threshold, connectivity == 8, min_area, simplify};

  std::vector<nle::FoundMap> found;
  {
    py::gil_scoped_release released;
    found = nle::find_regions(values, static_cast<std::size_t>(count), height, width, picture_sizes, map_windows,
                              options, threads);
  }
  Tuple result(found.size());
  for (std::size_t map = 0; map < found.size(); ++map) {
    const nle::PictureSize size = picture_sizes[picture_sizes.size() == 1 ? 0 : map];
    Tuple regions(found[map].regions.size());
    for (const nle::FoundRegion& region : found[map].regions) regions.add(make(region, size));
    if (!position_names) {
      result.add(regions.take());
      continue;
    }
    const nle::Window window = map_windows[map_windows.size() == 1 ? 0 : map];
    nle::CellAreas on{};
    for (const nle::FoundRegion& region : found[map].regions) {
      for (std::size_t cell = 0; cell < on.size(); ++cell) on[cell] += region.cells[cell];
    }
    const int positions = nle::places_by_area(on, nle::make_cells(size, nle::visible_pixels(size, window)));
    py::object words = take_words(nle::places_by_zone(found[map].sixteenths, size), place_words);
    Tuple sixteenths(found[map].sixteenths.size());
    for (const int area : found[map].sixteenths) sixteenths.add(area);
    Tuple place(4);
    place.add(regions.take()).add(py::object((*position_names)[positions])).add(words).add(sixteenths.take_plain());
    result.add(place.take());
  }
  return result.take();
}

int places_by_area(const std::array<std::int64_t, 9>& on, int width, int height, const std::array<double, 4>& window) {
  const nle::PictureSize size{width, height};
  const nle::PixelBox box = nle::visible_pixels(size, {window[0], window[1], window[2], window[3]});
  return nle::places_by_area(on, nle::make_cells(size, box));
}

py::object places_by_zone(const nle::SixteenthAreas& sixteenths, int width, int height, const py::tuple& place_words) {
  require(place_words.size() == 12, "place_words must have 12 entries");
  return take_words(nle::places_by_zone(sixteenths, {width, height}), place_words);
}

}  // namespace

void register_regions(py::module_& module) {
  module.def("find_regions", &find_regions, py::arg("maps").noconvert(), py::arg("sizes").noconvert(),
             py::arg("windows").noconvert(), py::arg("threshold"), py::arg("connectivity"), py::arg("min_area"),
             py::arg("simplify"), py::arg("threads"), py::arg("region_type"), py::arg("merged_names"),
             py::arg("cell_names"), py::arg("position_names") = py::none(), py::arg("place_words") = py::tuple());
  module.def("places_by_area", &places_by_area, py::arg("cells"), py::arg("width"), py::arg("height"),
             py::arg("window"));
  module.def("places_by_zone", &places_by_zone, py::arg("sixteenths"), py::arg("width"), py::arg("height"),
             py::arg("place_words"));
}
