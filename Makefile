PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
SETUP := $(PYTHON) tools/setup_venv.py $(VENV)

.PHONY: demo test test-apiserver lint types contracts bench drill incidents soak screenshots drain-series clean setup-demo setup-dev

demo: setup-demo  ## open the console on a living fleet of real Envoys on this machine
	@$(BIN)/gwtui demo

test: setup-dev  ## run every test this machine can run
	@$(BIN)/python -m pytest $(or $(ARGS),-n 3 --dist loadfile --no-loadscope-reorder)

test-apiserver: setup-dev  ## hold the contract against a real kube-apiserver; builds one where there is none (docs/testing.md)
	@$(BIN)/python -m tests.apiserver.run $(ARGS)

lint: setup-dev
	@$(BIN)/ruff check . && $(BIN)/ruff format --check .

types: setup-dev
	@$(BIN)/mypy

contracts: setup-dev
	@$(BIN)/lint-imports

bench: setup-dev  ## print one JSON line per measured ratio; fails when a goal is missed
	@$(BIN)/python bench/run.py $(ARGS)

drill: setup-dev  ## ten full cycles of a drain under load, every request counted; some minutes
	@$(BIN)/python -m bench.drill $(ARGS)

incidents: setup-dev  ## each incident of the library on the living fleet: is its cause told first, and how soon; ten minutes
	@$(BIN)/python -m bench.incidents $(ARGS)

soak: setup-dev  ## ten minutes of a healthy fleet with changes and restarts: nothing may be found
	@$(BIN)/python -m bench.soak $(ARGS)

screenshots: setup-dev  ## make screenshots/ anew from the playground; ARGS="mixed --theme mono --size 80x24" makes one
	@$(BIN)/python -m tools.screenshots $(or $(ARGS),--all)

drain-series: setup-dev  ## make the pictures of a drain by keys alone anew, from the playground
	@$(BIN)/python -m tools.drain_series

setup-demo:
	@$(SETUP) demo

setup-dev:
	@$(SETUP) dev

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist
