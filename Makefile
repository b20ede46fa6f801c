# Everything that this repository does by itself. `make help` lists it.
#
#   make demo [DURATION=seconds]   the whole loop on this machine, until Ctrl-C
#   make fuzz [ROUNDS=5]           properties, with examples that no gate has seen
#   make test                      set-up, then every gate and test

# An interpreter of one's own choice; otherwise scripts/venv.sh finds one that is new enough.
PYTHON ?=
ROUNDS := 5
VENV := .venv
# What benchmarks compare with, never among our own dependencies; two, since their numpys differ.
PEERS := .peers
DRIFT_PEERS := .peers-drift
BIN := $(VENV)/bin
RUN := $(BIN)/python

.DEFAULT_GOAL := help
.PHONY: help setup tools test check format lint types imports generated tests fuzz demo bench bench-setup lock generate clean

help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1|\2/p' $(MAKEFILE_LIST) | awk -F'|' '{ printf "%-18s %s\n", $$1, $$2 }'

setup: $(VENV)/.package tools ## .venv with the pinned dependencies, and the programs under .tools/

# The environment is made anew when the lock changes, so that nothing stays that the lock no longer names.
$(VENV)/.locked: requirements/dev.txt scripts/venv.sh
	@PYTHON='$(PYTHON)' scripts/venv.sh $(VENV) requirements/dev.txt
	@touch $@

$(VENV)/.package: $(VENV)/.locked pyproject.toml
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index --editable .
	@touch $@

tools:
	@scripts/tools.sh

test: setup ## make setup, then make check
	@$(MAKE) --no-print-directory check

check: format lint types imports generated tests ## every gate and test
	@echo "check: all passed"

format:
	@echo "format: ruff format --check"
	@$(BIN)/ruff format --check --quiet . || { echo "format: run $(BIN)/ruff format ."; exit 1; }

lint:
	@echo "lint: ruff check"
	@$(BIN)/ruff check --quiet .

types:
	@echo "types: mypy --strict"
	@$(BIN)/mypy --no-error-summary
	@for script in $(SCRIPTS); do MYPYPATH=exporter $(BIN)/mypy --no-error-summary $$script || exit 1; done

imports:
	@echo "imports: import-linter, the direction of imports and the pure core"
	@said=$$(PYTHONPATH=exporter $(BIN)/lint-imports 2>&1) || { echo "$$said"; exit 1; }

generated:
	@echo "generated: rules, dashboards and reference pages are in step with the code"
	@for generator in $(GENERATORS); do $(RUN) $$generator --check || exit 1; done
	@PYTHON=$(RUN) compose/generate.sh --check

tests:
	@echo "tests: pytest, with promtool and amtool over the rules"
	@$(RUN) -m pytest -q --ignore=tests/e2e --numprocesses=auto --dist=loadfile --no-loadscope-reorder
	@echo "tests: pytest, end to end, one at a time: they share the processor with what they start"
	@$(RUN) -m pytest -q tests/e2e

fuzz: setup ## property tests with examples that are new each time, ROUNDS times over
	@for round in $$(seq $(ROUNDS)); do \
	  $(RUN) -m pytest -q -m hypothesis --hypothesis-profile=explore || exit 1; \
	done

SCRIPTS := alert-rules/build.py docs/build.py docs/drift_pictures.py docs/thresholds_pictures.py $(wildcard scripts/*.py benchmarks/*.py)
GENERATORS := alert-rules/build.py dashboards/build.py docs/build.py

generate: setup ## write rules, dashboards and reference pages anew
	@for generator in $(GENERATORS); do echo "generate: $$generator"; $(RUN) $$generator || exit 1; done
	@echo "generate: compose/generate.sh"; PYTHON=$(RUN) compose/generate.sh

demo: setup ## the whole loop, until Ctrl-C or for DURATION seconds
	@$(RUN) -m demo.run $(if $(DURATION),--duration '$(DURATION)')

bench: setup ## every script under benchmarks/, and docs/benchmarks.md anew; DATA="NAME=DIR …" for those that read a folder
	@$(RUN) scripts/bench.py $(addprefix --data=,$(DATA))

bench-setup: $(PEERS)/.locked $(DRIFT_PEERS)/.locked ## .peers and .peers-drift with what the benchmarks measure beside us; without them they leave peers out

$(PEERS)/.locked: requirements/peers.txt scripts/venv.sh
	@PYTHON='$(PYTHON)' scripts/venv.sh $(PEERS) requirements/peers.txt
	@touch $@

# PyTorch's wheels are gigabytes, so one peer of drift waits for it: see benchmarks/drift_stream.py.
$(DRIFT_PEERS)/.locked: requirements/drift-peers.txt scripts/venv.sh
	@PYTHON='$(PYTHON)' scripts/venv.sh $(DRIFT_PEERS) requirements/drift-peers.txt
	@touch $@

lock: setup ## pin what pyproject.toml asks for; UPGRADE=1 takes the newest of everything
	@scripts/lock.sh $(RUN)

clean: ## remove what this file made
	rm -rf $(VENV) $(PEERS) $(DRIFT_PEERS) .tools .demo .cache .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
