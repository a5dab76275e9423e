# One target per act; `make help` lists them. Everything lands in .venv and out, nothing elsewhere.

SHELL := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

VENV := .venv
BIN := $(VENV)/bin
SCENARIO ?= ecommerce
OUT ?= out/demo
PYTEST_ARGS ?= -n auto --maxprocesses 4 --dist loadgroup

# The first Python of 3.11 or later that really starts (a version manager's shim may not).
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do \
  $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 && echo $$p && break; done)

.PHONY: help setup demo test lint bench scoreboard live kafka schemas golden clean

help:  ## This list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.run  ## Everything needed to run, in .venv

demo: $(VENV)/.run  ## The main job on 30 simulated days, without Kafka; SCENARIO=catering and others
	@$(BIN)/streams demo --scenario $(SCENARIO) --out $(OUT)

test: $(VENV)/.test  ## Every check and test, those against a real Kafka included
	@.ci/broker
	@$(MAKE) lint
	@$(BIN)/pytest $(PYTEST_ARGS)

lint: $(VENV)/.test  ## Style, types and deployment files only
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --quiet --check .
	@$(BIN)/mypy --no-error-summary
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.compose-spec docker-compose.yml

bench: $(VENV)/.bench  ## Side by side with Faust, Quix Streams and Bytewax; writes out/bench.json
	@.ci/broker
	@$(BIN)/python -m streams.benchmarks

scoreboard: $(VENV)/.bench  ## Every model beside its peers on real data; writes out/scoreboard.json
	@$(BIN)/streams evaluate --out out/scoreboard.json

live: $(VENV)/.test  ## The long form of the live tests: 500 000 events, 20 kills, a zombie
	@.ci/broker
	@STREAMS_LIVE_EVENTS=500000 STREAMS_LIVE_KILLS=20 $(BIN)/pytest -s tests/live/test_chaos.py

kafka: $(VENV)/.run  ## A Kafka broker of your own in the foreground, until Ctrl-C
	@.ci/broker
	@$(BIN)/python -m streams.runtime.local_kafka

schemas: $(VENV)/.run  ## Write schemas/ anew from streams/contract
	@$(BIN)/python -m streams.contract.schemas

golden: $(VENV)/.run  ## Write the golden replays anew; look at the difference before you commit it
	@$(BIN)/python -m tests.replay.golden

clean:  ## Remove the environment, the caches and everything in out
	@rm -rf $(VENV) out .kafka .mypy_cache .ruff_cache .pytest_cache .hypothesis *.egg-info
	@find streams tests -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp for each extra: what is installed is not installed again until a requirement changes.
# Bytecode is compiled at first import: most of what is installed is never imported.
$(VENV)/.run: extra :=
$(VENV)/.test: extra := [test]
$(VENV)/.bench: extra := [test,bench]
$(VENV)/.run $(VENV)/.test $(VENV)/.bench: pyproject.toml constraints.txt | $(VENV)/.made
	@echo "Setting up $(VENV)$(if $(extra), with $(extra)) ..."
	@if command -v uv >/dev/null; then \
	  uv pip install --quiet --python $(BIN)/python -c constraints.txt -e '.$(extra)'; \
	else \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile \
	    -c constraints.txt -e '.$(extra)'; \
	fi
	@touch $@

# An empty environment, or what to install to get one.
$(VENV)/.made:
	@python='$(PYTHON)'; \
	if [ -z "$$python" ]; then \
	  echo "Python 3.11 or later is needed and not on the PATH: install it," \
	    "or say which: make PYTHON=/path/to/python3.11" >&2; exit 1; \
	elif command -v uv >/dev/null; then \
	  uv venv --quiet --clear --python "$$python" $(VENV); \
	elif ! "$$python" -c 'import ensurepip, venv' 2>/dev/null; then \
	  echo "$$python has no venv module; on Debian or Ubuntu: apt-get install python3-venv" >&2; \
	  exit 1; \
	else \
	  "$$python" -m venv --clear $(VENV); \
	fi
	@touch $@
