# `make run` starts everything, `make test` tests everything. Both need Python 3.11 and the package index, nothing else.
SHELL := /bin/bash
PYTHON ?= $(shell command -v python3.11 || command -v python3)
PORT ?= 8000
DATA ?= var
DEMO ?= 1
ARGS ?=
BIN := .venv/bin
export PORT DATA DEMO
# The product is many processes: without bytecode kept on disk each of them would compile every package again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: catalogue run test lint lint-types lint-style lint-project bench chaos coverage-map services stop format lock

run: .venv/base
	@exec setpriv --pdeathsig TERM -- $(BIN)/python -m config.supervisor

test: .venv/dev
	@$(BIN)/python -m tests.bring_up
	@unset DATA PORT; $(BIN)/python -m pytest -n 3 --dist loadgroup --no-loadscope-reorder $(ARGS)

chaos: .venv/dev
	@unset DATA PORT; $(BIN)/python -m pytest -m chaos $(ARGS)

lint: lint-types lint-style lint-project ## its parts can run beside each other (make -j)

lint-types: .venv/dev
	@$(BIN)/mypy apps config

lint-style: .venv/dev
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/lint-imports

lint-project: .venv/dev
	@$(BIN)/python -m tests.lint

bench: .venv/dev
	@$(BIN)/python -m tests.bench

catalogue: .venv/dev ## docs/providers.md, from the providers' definitions
	@$(BIN)/python -m tools.catalogue

coverage-map: .venv/dev
	@$(BIN)/python -m tests.coverage_map

services: .venv/dev ## the embedded servers alone, for development
	@$(BIN)/python -m config.embedded start
	@$(BIN)/python -m config.embedded urls

stop: ## the embedded servers of $(DATA) and of the tests
	@$(BIN)/python -m config.embedded stop
	@DATA=var/test $(BIN)/python -m config.embedded stop
	@DATA=var/test-elsewhere $(BIN)/python -m config.embedded stop

format: .venv/dev
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

lock: .venv/dev
	@for name in base local-llm dev; do $(BIN)/uv pip compile -q --generate-hashes --python-version 3.11 \
	  --override requirements/local-llm.overrides requirements/$$name.in -o requirements/$$name.txt || exit 1; done

# uv comes from the package index like everything else and installs the lock in seconds. What is installed for
# tests contains what is installed for running, so `make run` does not take it away again.
.venv/bin/uv:
	@echo "Making .venv"
	@$(PYTHON) -m venv .venv
	@$(BIN)/pip install --quiet --disable-pip-version-check uv

.venv/base: requirements/base.txt | .venv/bin/uv
	@echo "Installing what the product needs"
	@$(BIN)/uv pip install --quiet --require-hashes -r requirements/base.txt
	@touch $@

.venv/dev: requirements/dev.txt | .venv/bin/uv
	@echo "Installing what building and testing need"
	@$(BIN)/uv pip sync --quiet --require-hashes requirements/dev.txt
	@touch $@ .venv/base
