# make phase-diagram   from a fresh clone to the four-phase diagram (no PyTorch)
# make test            lint, types, import contracts, tests and the share of lines that they run
# make test-networks   longer trainings, against what is published: 5 minutes on 2 cores
# make test-slow       whole published tables: minutes of training
# make test-slurm      a Slurm cluster on this machine: ALLOW_SYSTEM_INSTALL=1, root, Debian
# make docs            the site, in results/site, with its notebooks; and the blocks of its pages
# make figures         the site's figures that take an hour on 2 cores together
# make wheel           sdist and wheel, and the README's example with the wheel alone
# make gpu             with a GPU and the PyTorch of $(PYTHON): tests, benchmark and record; resumes

PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
TABLE ?=
# Tests of one file share what it prepares.
PARALLEL := -n logical --maxprocesses 8 --dist loadfile

.PHONY: phase-diagram test test-networks test-slow test-slurm docs figures wheel gpu clean

phase-diagram: .venv/core
	$(BIN)/python -m phase_diagrams sweep --preset released-5b $(if $(TABLE),--table $(TABLE))

test: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy docs/*.py benchmarks/*.py
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -m "not slow and not networks and not documents" $(PARALLEL) --durations=15 --cov --cov-report=
	NUMBA_DISABLE_JIT=1 $(BIN)/python -m pytest tests/uncompiled --cov --cov-append --cov-fail-under=92

test-networks: .venv/dev
	$(BIN)/python -m pytest -m networks -n 2 --dist load --durations=5

test-slow: .venv/dev
	$(BIN)/python -m pytest -m slow

test-slurm: .venv/dev
	tests/slurm/with_slurm.sh $(BIN)/python -m pytest tests/slurm

docs: .venv/docs
	$(BIN)/python -m sphinx -W --keep-going -q -d results/site-cache docs results/site
	$(BIN)/python -m pytest -m documents -n 2 --dist load

figures: .venv/docs
	$(BIN)/python docs/critical_size.py
	$(BIN)/python docs/scaling.py
	$(BIN)/python docs/experiments.py --longest 9

wheel: .venv/dev
	.ci/wheel

gpu: export PYTHONPATH := .
gpu:
	$(PYTHON) -m pytest tests/validation/test_batched_engine.py
	$(PYTHON) benchmarks/gpu.py --lanes 2 1 4
	$(PYTHON) -m validation toy --preset released-5b --device cuda --store results/released-5b-agreement/runs.sqlite --out validation/records/released-5b-cuda

.venv/core: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.11 ..")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(INSTALL) -e .
	touch $@

.venv/dev: .venv/core
	$(INSTALL) -e '.[dev,html,validation,xarray]'
	touch $@

.venv/docs: .venv/dev
	$(INSTALL) -e '.[docs]'
	touch $@

clean:
	rm -rf .venv results build *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
