PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(PYTHON) tools/setup_venv.py $(VENV)

.PHONY: demo test lint types contracts bench screenshots clean setup-demo setup-dev

demo: setup-demo  ## open the console on a living fleet of real Envoys on this machine
	@$(BIN)/gwtui demo

test: setup-dev  ## run every test this machine can run
	@$(BIN)/python -m pytest $(ARGS)

lint: setup-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup-dev
	@$(BIN)/mypy

contracts: setup-dev
	@$(BIN)/lint-imports

bench: setup-dev  ## print one JSON line per measured ratio; fails when a goal is missed
	@$(BIN)/python bench/run.py $(ARGS)

screenshots: setup-dev  ## make screenshots/ anew from the playground
	@$(BIN)/python tools/screenshots.py

setup-demo:
	@$(SETUP) demo

setup-dev:
	@$(SETUP) dev

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
