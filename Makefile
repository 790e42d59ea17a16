# The only commands a newcomer needs are `make run` and `make test`; `make help` lists the rest.
.DEFAULT_GOAL := help
SHELL := /bin/bash

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
SERVICES := .services
CODE := finops_assets finops_api streamlit_app tests benchmarks

$(READY): requirements.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip sync --quiet --require-hashes --python $(BIN)/python requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $(READY)

.PHONY: run test lint format lock browser services help

run: $(READY) ## Bills in, forecasts and anomalies out, then serve Dagster, the API and the dashboard
	@$(BIN)/finops run

test: $(READY) browser services ## Everything the tests need, then the tests, with coverage
	@$(BIN)/python -m pytest --cov --cov-report=term:skip-covered -q

lint: $(READY) ## Formatting, lint, strict types, import contracts
	@$(BIN)/ruff format --check $(CODE)
	@$(BIN)/ruff check $(CODE)
	@$(BIN)/lint-imports
	@$(BIN)/mypy

format: $(READY) ## Format and mend what the linter can
	@$(BIN)/ruff format $(CODE)
	@$(BIN)/ruff check --fix $(CODE)

lock: ## Pin the newest allowed versions, with hashes and without addresses
	@$(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 \
		--extra dev pyproject.toml --output-file requirements.lock

browser: ## Chromium for the browser tests, by apt where it may
	@command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium >/dev/null; } || \
		echo "The Debian package 'chromium' is missing and may not be installed here: browser tests are skipped."

services: $(SERVICES)/.azurite $(SERVICES)/.bqemulator ## Emulators that live apart from our packages

# Azure's own blob server is a node program.
$(SERVICES)/.azurite: tests/services/azurite.txt
	@command -v npm >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq npm >/dev/null; } || true
	@if command -v npm >/dev/null; then mkdir -p $(SERVICES) && \
		npm install --silent --no-audit --no-fund --no-save --prefix $(SERVICES) "$$(cat $<)" && touch $@; \
	else echo "npm is missing and may not be installed here: tests with azurite are skipped."; fi

# BigQuery's stand-in needs another DuckDB than ours, and DuckDB's spatial extension, which it would
# download when it starts; here it comes as a package and lies where DuckDB looks for it.
BQ := $(SERVICES)/bqemulator
$(SERVICES)/.bqemulator: tests/services/bqemulator.txt | $(READY)
	@$(BIN)/uv venv --quiet --clear --python $(BIN)/python $(BQ)
	@$(BIN)/uv pip install --quiet --python $(BQ)/bin/python -r $<
	@mkdir -p $(BQ)/home/.duckdb
	@cp -r $(BQ)/lib/python*/site-packages/duckdb_extension_spatial/extensions $(BQ)/home/.duckdb/
	@for of in $(BQ)/home/.duckdb/extensions/v*; do \
		platform=$$($(BQ)/bin/python -c "import duckdb; print(duckdb.sql('PRAGMA platform').fetchone()[0])"); \
		mkdir -p $$of/$$platform && mv $$of/*.duckdb_extension $$of/$$platform/; done
	@touch $@

help: ## This list
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):[^#]*## /\1\t/' | column -t -s "$$(printf '\t')"
