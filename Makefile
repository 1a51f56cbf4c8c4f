# Two commands are enough on a fresh machine with python3 (3.11 or newer), python3-venv, git and make:
#   make demo    see it work
#   make test    run everything
# `make help` lists the rest.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup demo test check bench openapi docs screenshots lock clean

PYTHON ?= python3
PYTEST_ARGS ?=
BIN := .venv/bin
UV := $(BIN)/uv pip install --quiet --python $(BIN)/python
# Every version and hash comes from the one lock: as constraints, they hold for a part of it too.
LOCKED := --constraints requirements.lock --build-constraints requirements.lock
# Folders with Python of ours; src comes first because mypy and the contracts read only that.
CODE := src tests tools bench hatch_build.py
# What the web pages and the typed client are made of; a change of it installs the package anew.
PAGES := $(shell find web -name node_modules -prune -o -type f ! -name api.d.ts -print) openapi.json hatch_build.py tools/sdk.py

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: .venv/.everything ## install the server, the client and the development tools into .venv

demo: .venv/.runtime ## tell the whole story on this machine; ONCE=1 ends after the run
	@ONCE=$(ONCE) $(BIN)/python tools/demo.py

test: .venv/.everything ## run every test; what a test cannot find here it says in one line
	PYTHONPATH=tests $(BIN)/pytest -p plugins.noskip -n auto --dist loadgroup $(PYTEST_ARGS)

check: .venv/.everything ## the gate before a commit: form, types, walls, fast tests; under a minute
	$(BIN)/ruff format --check $(CODE)
	$(BIN)/ruff check $(CODE)
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	cd web && PATH=$(PWD)/$(BIN):$$PATH npm run --silent check
	$(BIN)/pytest -q -n auto tests/unit tests/scenarios tests/architecture $(PYTEST_ARGS)

bench: .venv/.runtime ## measure beside the floor and the peers; PEERS="sh docker ours" picks some
	bench/side-by-side $(PEERS)
	$(BIN)/python bench/million

openapi: .venv/.runtime ## write the API document from the routes
	$(BIN)/python tools/openapi.py

docs: .venv/.runtime ## write the pages that are made from code
	$(BIN)/python tools/docs.py

screenshots: .venv/.everything ## take the pictures of the web pages anew (needs chromium)
	PYTHONPATH=tests $(BIN)/python tools/screenshots.py

lock: .venv/.uv ## choose versions anew, with hashes and without addresses
	$(BIN)/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	  --extra server --group dev --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url --no-emit-find-links \
	  pyproject.toml --output-file requirements.lock

clean: ## remove the environment and what the tools left
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis

# The stamps keep a second call quick. Debian's own pip refuses to install, so everything is in .venv.
.venv/.uv: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	awk '/^[a-z]/ { wanted = /^uv==/ } wanted' requirements.lock >.venv/uv.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement .venv/uv.txt
	@touch $@

.venv/.runtime: pyproject.toml requirements.lock $(PAGES) | .venv/.uv
	$(UV) $(LOCKED) --reinstall-package headrace --editable '.[server]'
	@touch $@

.venv/.everything: pyproject.toml requirements.lock $(PAGES) | .venv/.uv
	$(UV) --require-hashes --requirement requirements.lock
	$(UV) $(LOCKED) --reinstall-package headrace --editable '.[server]'
	@touch $@ .venv/.runtime
