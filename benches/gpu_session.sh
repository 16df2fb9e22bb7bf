#!/usr/bin/env bash
# Everything that needs a GPU, in one go and within ten minutes; JSON and logs in $OUT, else in benches/results.
# Needs no network: only python3 with torch and Triton. The C++ extension is built if it can be.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
export OUT=${OUT:-benches/results} PYTHONUNBUFFERED=1
site=$(mktemp -d)
trap 'rm -rf "$site"' EXIT
cp -r nle_fast "$site/nle_fast" && cp -r kernels "$site/nle_fast/kernels"
if ! "$python" -c "import nle_fast._core" 2>/dev/null; then
  generator=$(command -v ninja >/dev/null && echo Ninja || echo "Unix Makefiles")
  if pybind11=$("$python" -m pybind11 --cmakedir) &&
    cmake -S . -B "$site/build" -G "$generator" -DCMAKE_BUILD_TYPE=Release -Dpybind11_DIR="$pybind11" \
      -DPython_EXECUTABLE="$(command -v "$python")" >"$site/log" 2>&1 &&
    cmake --build "$site/build" --parallel 8 >>"$site/log" 2>&1; then
    cp "$site"/build/_core*.so "$site/nle_fast/"
  else
    echo "the C++ extension cannot be built here:"
    tail -n 3 "$site/log" 2>/dev/null
  fi
  export PYTHONPATH="$site${PYTHONPATH:+:$PYTHONPATH}"
fi
status=0
timeout 540 "$python" benches/bench_gpu.py "$@" || status=$?
# Out-of-bounds accesses of every path, on small shapes; slow, so in the time that is left.
if command -v compute-sanitizer >/dev/null && [ $SECONDS -lt 450 ]; then
  timeout $((580 - SECONDS)) compute-sanitizer --tool memcheck --error-exitcode 3 \
    "$python" benches/bench_gpu.py --only values rules --dry-run >"$OUT/memcheck.txt" 2>&1
  echo "memcheck: exit $? (0 clean, 3 errors, 124 not finished)" | tee -a "$OUT/memcheck.txt"
fi
exit $status
