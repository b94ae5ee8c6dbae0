# Everything in a few commands; `make help` lists them.

VENV    := .venv
BIN     := $(VENV)/bin
PORT    ?= 5006
ADDRESS ?=
ORIGIN  ?=
ARGS    ?=
BROWSERS ?= 2
PEERS   := pennylane tensorcircuit torch
TORCH_BACKEND ?= cpu

# TensorFlow Quantum needs the Keras 2 of tf-keras.
export TF_USE_LEGACY_KERAS := 1
export TF_CPP_MIN_LOG_LEVEL ?= 2
# PYTHON=/path/to/python overrides the search for a Python.
export PYTHON

INSTALL := $(BIN)/uv pip install --python $(BIN)/python
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.10 --no-header --no-annotate --no-emit-index-url

# Who may come is decided in one place, qfl_explore/cli/serve.py; docs/serving.md has the rest.
SERVE := $(BIN)/qfl-explore serve --port $(PORT) $(ADDRESS:%=--address %) $(ORIGIN:%=--origin %)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help app test lab lint lock setup setup-dev clean benchmark benchmark-peers qsim-gpu study load docs pictures notebooks wheel

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo 'Variables: PYTHON=/path/to/python  PORT=$(PORT)  ADDRESS=localhost  ORIGIN=host:port  ARGS="more arguments"'
	@echo 'For a room of people: make app ARGS="--room --password"'

app: setup ## install what is missing and serve the app on http://localhost:5006
	@$(SERVE) $(ARGS)

# Two processes for most tests, then two with a server and a browser each (BROWSERS=1: one after the other), and last,
# alone, those that expect an answer within seconds. With ARGS (say ARGS="-k encoding -x") pytest runs once, with just
# those. Files are begun in their own order: those of notebooks have few tests and would come last, alone.
test: export PYTHONDONTWRITEBYTECODE = # the tests' rewritten asserts are kept for the next process
test: setup-dev ## install what is missing and run the tests
ifeq ($(strip $(ARGS)),)
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not slow and not gpu and not browser"; most=$$?; \
	$(BIN)/python -m pytest -n $(BROWSERS) --dist loadfile -m "browser and not slow and not alone" tests/browser; seen=$$?; \
	$(BIN)/python -m pytest -m "browser and alone and not slow" tests/browser; alone=$$?; \
	test $$most = 0 && test $$seen = 0 && test $$alone = 0
else
	@$(BIN)/python -m pytest $(ARGS)
endif

lab: setup ## JupyterLab on notebooks/
	@mkdir -p $(VENV)/share/jupyter/lab/settings
	@echo '{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}' \
		> $(VENV)/share/jupyter/lab/settings/overrides.json
	@$(BIN)/jupyter lab --notebook-dir=notebooks --ip=$(or $(ADDRESS),localhost) \
		--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate --LabApp.news_url=None \
		$$(test "$$(id -u)" != 0 || echo --allow-root) $(ARGS)

lint: $(VENV)/.installed-dev ## style, import order and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/pyright

docs: setup-dev ## the handbook into build/handbook, offline, with every link checked
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@$(BIN)/python scripts/check_site.py build/handbook
	@echo "Read it with: $(BIN)/python -m http.server --directory build/handbook 8000"

pictures: setup-dev ## photograph the app's pages into docs/pictures (Chromium; ten minutes; ARGS="app noise" for some)
	@$(BIN)/python scripts/pictures.py $(ARGS)

notebooks: setup-dev ## run all notebooks with their full settings; executed copies go to build/notebooks
	@$(BIN)/python scripts/run_notebooks.py $(ARGS)

wheel: setup-dev ## build dist/*.whl and the source archive, notebooks included
	@$(BIN)/python -m build --installer uv

benchmark: setup ## time the engines and write docs/benchmark (an hour or more; see ARGS)
	$(BIN)/python -m qfl_explore.benchmark --growth batched jax --out docs/benchmark $(ARGS)

study: setup ## the study on real data: compute what is missing and write docs/study.md (hours the first time; see ARGS)
	$(BIN)/python -m qfl_explore.study $(ARGS)

load: setup ## visit the app with thirty clients and three browsers, and write docs/load.md (five minutes; see ARGS)
	$(BIN)/python -m qfl_explore.load --out docs/load.md $(ARGS)

benchmark-peers: $(PEERS:%=.venv-peers/%/.installed) ## install what the benchmark compares with (2 GB)

# Nothing is installed unless ARGS says --install; docs/gpu.md has the rest.
qsim-gpu: $(BIN)/uv ## build qsim for NVIDIA GPUs into build/qsim-gpu (ARGS="--arch 90 --install")
	$(BIN)/python scripts/build_qsim_gpu.py $(ARGS)

lock: $(BIN)/uv ## compile both lock files anew from pyproject.toml
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --extra dev --extra docs -c requirements.lock --output-file requirements-dev.lock pyproject.toml

clean: ## remove the virtual environment and all caches
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find qfl_explore tests -name __pycache__ -type d -prune -exec rm -rf {} +

setup: $(VENV)/.warm
setup-dev: $(VENV)/.installed-dev $(VENV)/.warm

# An environment that runs a fitting Python is kept; anything else by that name is made anew.
$(BIN)/uv:
	@if ! PYTHON=$(BIN)/python sh scripts/find_python.sh >/dev/null 2>&1; then \
		python=$$(sh scripts/find_python.sh) || exit 1; \
		echo "Making $(VENV) with $$python"; \
		"$$python" -m venv --clear $(VENV) || exit 1; \
	fi
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv

$(VENV)/.installed: requirements.lock pyproject.toml | $(BIN)/uv
	@echo "Installing the packages of requirements.lock (a few minutes the first time)"
	@$(INSTALL) --compile-bytecode -r requirements.lock
	@$(INSTALL) --quiet --no-deps --editable .
	@touch $@

$(VENV)/.installed-dev: requirements-dev.lock $(VENV)/.installed
	@echo "Installing the packages of requirements-dev.lock"
	@$(INSTALL) --compile-bytecode -r requirements-dev.lock
	@touch $@

# One environment for each family of peers. PyTorch comes without CUDA unless TORCH_BACKEND says otherwise; where
# its own index cannot be reached, the usual package does (larger, and as fast on a CPU).
.venv-peers/%/.installed: qfl_explore/benchmark/peers/requirements/%.txt | $(BIN)/uv
	@echo "Installing $* for the benchmark"
	@$(BIN)/uv venv --quiet --allow-existing --python $(BIN)/python .venv-peers/$*
	@$(BIN)/uv pip install --quiet --torch-backend $(TORCH_BACKEND) --python .venv-peers/$*/bin/python -r $< \
	  2>/dev/null || $(BIN)/uv pip install --quiet --python .venv-peers/$*/bin/python -r $<
	@touch $@

# Compiles the numerical kernels once, so that the first visitor does not wait for it: single and double precision side
# by side, then what both need and one of them did not get to keep.
WARM := $(BIN)/python -c "from qfl_explore.simulation.batched import warm_up; warm_up
$(VENV)/.warm: $(VENV)/.installed $(wildcard qfl_explore/simulation/*.py)
	@echo "Compiling the simulator (once; a minute)"
	@$(WARM)(['float32'], noise=False)" & $(WARM)(['float64'])" && wait $$!
	@$(WARM)()"
	@touch $@
