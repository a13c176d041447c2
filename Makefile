# Everything sets itself up: a .venv from requirements.lock, with uv where it is installed, with venv and pip where not.
PYTHON ?= python3
BIN := .venv/bin
UV := $(shell command -v uv 2>/dev/null)

.PHONY: demo test tests prove bench lint clean

demo: .venv/.made
	$(BIN)/mlc demo

# Style and types beside the tests; either may fail, and both are told.
test: .venv/.foreign
	$(MAKE) --no-print-directory --keep-going -j 2 lint tests

# Three workers for two cores: many a test waits, for a disk, a process or an emulated system.
tests: .venv/.foreign
	$(BIN)/pytest -n 3 -m "not prove"

prove: .venv/.made
	$(BIN)/pytest -n 3 --maxschedchunk 1 -m prove

lint: .venv/.made
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/mypy

bench: .venv/.foreign
	$(BIN)/python -m mlc_pipelines_tests.bench

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

.venv/.made: requirements.lock pyproject.toml
ifdef UV
	uv venv --quiet --allow-existing --python $(PYTHON) .venv
	uv pip install --quiet --python $(BIN)/python -r requirements.lock
	uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation -e .
else
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
endif
	touch $@

.venv/.foreign: .venv/.made requirements-foreign.lock
ifdef UV
	uv pip install --quiet --python $(BIN)/python -r requirements-foreign.lock
else
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements-foreign.lock
endif
	touch $@
