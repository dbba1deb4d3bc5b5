# `make demo` and `make test` each work on a fresh machine: they set up what they need.

PYTHON ?= python3
VENV ?= .venv
# The requirement that brings PyTorch. The plain one takes pip's default build, on Linux with several
# gigabytes of CUDA; where a CPU build is at hand:  make demo TORCH='torch==2.13.0+cpu'
TORCH ?= torch>=2.4,<3

# What `make bench` measures: a folder of images, such as the 24 of Kodak; one of them for timings.
DATASET ?= kodak
BENCH_IMAGE ?= $(firstword $(sort $(wildcard $(DATASET)/*.png)))
RESULTS ?= benchmarks/results
BENCH_NAME := $(notdir $(abspath $(DATASET)))

CLANG ?= $(firstword $(wildcard /usr/bin/clang /usr/bin/clang-[0-9]*) clang)
FUZZ_SECONDS ?= 60
FUZZ_PARTS ?= parse entropy synthesis

BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.DEFAULT_GOAL := help
.PHONY: web openseadragon help setup demo test test-fast test-gpu fuzz fuzz-parse fuzz-entropy fuzz-synthesis lint types check build clean bench bench-smoke

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml $(wildcard sirencodec/native/src/*.[ch])
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet "$(TORCH)"
	$(BIN)/pip install --quiet --editable '.[dev,bench]'
	@touch $@

setup: $(STAMP) ## make the virtual environment

demo: $(STAMP) ## encode a photograph, decode it at its size and 2048 wide
	$(BIN)/python docs/demo.py

test: $(STAMP) ## run the tests
	$(BIN)/python -m pytest -n logical --dist worksteal

test-fast: $(STAMP) ## run those without whole fits, studies and benchmarks: while working
	$(BIN)/python -m pytest -n logical --dist worksteal -m "not slow"

test-gpu: $(STAMP) ## run those that need a CUDA device
	$(BIN)/python -m pytest -m gpu

fuzz: $(FUZZ_PARTS:%=fuzz-%) ## look for inputs that break a decode:  make fuzz FUZZ_PARTS=entropy FUZZ_SECONDS=3600 (needs clang)

build/fuzz-%: tests/fuzz/%.c tests/fuzz/input.h $(wildcard sirencodec/native/src/*.[ch])
	@mkdir -p build
	$(CLANG) -g -O1 -fsanitize=fuzzer,address,undefined,float-cast-overflow -fno-sanitize-recover=all -Wall -Wextra -Wno-psabi $< -lm -o $@

fuzz-entropy fuzz-synthesis: fuzz-%: build/fuzz-%
	$(call fuzzed,build/fuzz-$*,$*)

fuzz-parse: $(STAMP)
	$(BIN)/pip install --quiet atheris==3.0.0
	$(call fuzzed,PATH="$(CURDIR)/$(BIN):$$PATH" PYTHONPATH=. tests/fuzz/parse.py,parse)

# What runs an input, part: new inputs go to build/, and those that reach more into the corpus.
define fuzzed
	mkdir -p build/corpus/$(2)
	$(1) build/corpus/$(2) tests/fuzz/corpus/$(2) -max_len=1024 -timeout=60 -max_total_time=$(FUZZ_SECONDS) -artifact_prefix=build/
	$(1) -merge=1 tests/fuzz/corpus/$(2) build/corpus/$(2)
endef

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

check: lint types test ## everything CI runs

web: $(STAMP) ## compile the decoder for browsers: sirencodec/web/dist
	$(BIN)/pip install --quiet ziglang==0.17.1
	PYTHON="$(CURDIR)/$(BIN)/python" sirencodec/web/build.sh
	cd sirencodec/web && npx --yes --package typescript@5 tsc -p .

OPENSEADRAGON ?= 6.1.1
openseadragon: ## take the viewer that `serve` shows from its npm package
	cd "$$(mktemp -d)" && npm pack --silent openseadragon@$(OPENSEADRAGON) && tar xzf openseadragon-*.tgz && \
	cp package/LICENSE.txt package/build/openseadragon/openseadragon.min.js "$(CURDIR)/sirencodec/web/openseadragon/"

bench-smoke: $(STAMP) ## run what measures and reports once, on tiny pictures
	$(BIN)/python -m benchmarks smoke

bench: $(STAMP) ## measure everything but ablations:  make bench DATASET=folder (hours; goes on when cut off)
	$(BIN)/python -m benchmarks rate-distortion --dataset "$(DATASET)" --output "$(RESULTS)/$(BENCH_NAME).json"
	$(BIN)/python -m benchmarks scale --dataset "$(DATASET)" --output "$(RESULTS)/$(BENCH_NAME)-scale.json"
	$(BIN)/python -m benchmarks speed --image "$(BENCH_IMAGE)" --output "$(RESULTS)/$(BENCH_NAME)-speed.json"
	$(BIN)/python -m benchmarks report "$(RESULTS)/$(BENCH_NAME).json" --plots "$(RESULTS)"
	$(BIN)/python -m benchmarks report "$(RESULTS)/$(BENCH_NAME)-scale.json" "$(RESULTS)/$(BENCH_NAME)-speed.json"

build: $(STAMP) ## wheel and source archive in dist/
	$(BIN)/python -m build

clean: ## remove what the other targets made
	rm -rf $(VENV) build dist demo *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis
