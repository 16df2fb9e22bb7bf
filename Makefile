.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
STAGES := benches/bench_ops.py benches/bench_networks.py benches/bench_features.py benches/bench_pipeline.py
NATIVE := $(wildcard csrc/*) CMakeLists.txt pyproject.toml constraints.txt

.PHONY: help demo test lint format bench clean

help: ## Show what can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(STAMP): $(NATIVE)
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	CMAKE_ARGS="-DLLAVA_BUILD=OFF" $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt llama-cpp-python
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	touch $@

demo: $(STAMP) ## Explain a sample picture with the embedded network
	$(BIN)/nle-fast explain nle_fast/samples/bird.jpg

test: $(STAMP) ## Run the tests
	$(BIN)/pytest

lint: $(STAMP) ## Check style, types, layout of C++ and the floors
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/clang-format --dry-run --Werror csrc/*.cpp csrc/*.hpp
	$(BIN)/lint-imports

format: $(STAMP) ## Rewrite files in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/clang-format -i csrc/*.cpp csrc/*.hpp

# Without what grad-cam and torchcam declare: a torchvision and an OpenCV with windows that nothing here uses.
bench: $(STAMP) ## Measure each stage beside its peers, into benches/results (QUICK=--quick: two minutes)
	mkdir -p build
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --no-deps grad-cam torchcam ttach
	$(BIN)/pytest -q $(QUICK) $(STAGES) --benchmark-json=build/stages.json
	$(BIN)/python benches/table.py build/stages.json benches/results/stages.json
	$(BIN)/pytest -q benches/bench_verbalizer.py --benchmark-json=build/verbalizer.json
	$(BIN)/python benches/table.py build/verbalizer.json benches/results/verbalizer.json

clean: ## Remove what was built
	rm -rf $(VENV) build
