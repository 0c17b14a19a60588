# python3 (3.11 to 3.13 with venv), make and a network to PyPI are all this needs.

PYTHON ?= python3
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check
PYTEST_OPTIONS ?=
TORCH ?= torch==2.13.0

.PHONY: help demo test test-core lint docs cluster benchmark-accuracy clean

help:
	@echo "make demo       install into $(VENV), run 2 ps of polystyrene, write runs/polystyrene/report.html"
	@echo "make test       install and run the whole test suite"
	@echo "make test-core  the same without TorchForce and with a newer torch, in .venv-core"
	@echo "make lint       ruff and mypy --strict"
	@echo "make cluster    build torch-cluster into $(VENV), about 7 minutes (pairs of open systems on a GPU)"
	@echo "make docs       build the documentation into site/"
	@echo "make benchmark-accuracy   what is missing of docs/accuracy.md; PARTS=\"frames stress\" for some of it"
	@echo "make bench-env  polymd and the codes it is compared with, in $(BENCH_VENV), about 8 GB"
	@echo "make bench      all comparisons of speed, about 10 minutes on a machine with nothing else to do"
	@echo "make clean      remove environments, runs and builds"

demo: $(VENV)/.polymd
	rm -rf runs/polystyrene
	$(VENV)/bin/polymd run "*CC(*)c1ccccc1" --units 10 --time 2ps --temperature 300 --seed 1 --out runs/polystyrene

# molecules of the tests are small: more threads of torch and BLAS only wait for each other
test test-core: export OMP_NUM_THREADS ?= 1

test: $(VENV)/.polymd
	$(VENV)/bin/python -m pytest $(PYTEST_OPTIONS)

test-core: .venv-core/.polymd
	.venv-core/bin/python -m pytest $(PYTEST_OPTIONS)

lint: $(VENV)/.lint
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/mkdocs build --strict --quiet

# from source, against the torch that is there
cluster: $(VENV)/.polymd
	$(PIP) install --no-build-isolation --no-cache-dir ".[cluster]"

benchmark-accuracy: $(VENV)/.accuracy
	$(VENV)/bin/python -m benchmarks.accuracy $(PARTS)

bench-env: $(BENCH_VENV)/.bench

bench: $(BENCH_VENV)/.bench
	$(BENCH_VENV)/bin/python benchmarks/speed/potentials.py
	$(BENCH_VENV)/bin/python benchmarks/speed/memory.py
	$(BENCH_VENV)/bin/python benchmarks/speed/neighbors.py
	$(BENCH_VENV)/bin/python benchmarks/speed/scaling.py
	$(BENCH_VENV)/bin/python benchmarks/speed/replicas.py
	$(BENCH_VENV)/bin/python benchmarks/speed/plots.py

# Auto3D carries AIMNet2's weights and asks for packages that evaluating them does not need
$(BENCH_VENV)/.bench: pyproject.toml
	$(PYTHON) -m venv $(BENCH_VENV)
	$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[torchforce,bench]" $(PEERS)
	$(BENCH_VENV)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps Auto3D==2.3.1
	@touch $@

$(VENV)/.polymd: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet --editable ".[torchforce,test]"
	@touch $@

.venv-core/.polymd: pyproject.toml
	$(PYTHON) -m venv .venv-core
	.venv-core/bin/python -m pip --disable-pip-version-check install --quiet --editable ".[test]" "$(TORCH)"
	@touch $@

$(VENV)/.lint: $(VENV)/.polymd
	$(PIP) install --quiet --editable ".[torchforce,lint]"
	@touch $@

# of Auto3D only the model files are used: its dependencies stay out
$(VENV)/.accuracy: $(VENV)/.polymd
	$(PIP) install --quiet pyscf pyscf-dispersion tblite
	$(PIP) install --quiet --no-deps Auto3D==2.3.1
	@touch $@

$(VENV)/.docs: pyproject.toml
	@test -d $(VENV) || $(PYTHON) -m venv $(VENV)
	$(PIP) install --quiet $$($(VENV)/bin/python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['optional-dependencies']['docs'])")
	@touch $@

clean:
	rm -rf .venv .venv-core .venv-bench runs site build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
