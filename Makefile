# Needs make and Python 3.11 or newer. All else goes into .venv, in this folder, the first time it is asked for.

.DEFAULT_GOAL := help
.PHONY: help train test lint format bench clean
.NOTPARALLEL: # two installations into one environment would meet

BIN := .venv/bin

# The first that runs and is new enough; python3 if none is, for the message to name.
PYTHON ?= $(shell for p in python3 python3.15 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && exit; done; echo python3)

help: ## show this list
	@echo 'jitgrad: a mini-PyTorch for the CPU on numpy and numba'
	@echo
	@sed -n 's/^\([a-z]*\):.*## /\1|/p' Makefile | while IFS='|' read -r name text; do \
		printf '  make %-8s %s\n' "$$name" "$$text"; done
	@echo
	@echo "Options go in ARGS, another Python in PYTHON:  make train ARGS='--epochs 5' PYTHON=python3.12"

train: .venv/train ## train a network on handwritten digits; ARGS='--help' lists the options of jitgrad train
	@$(BIN)/jitgrad train $(ARGS)

# Waiting threads sleep: where several test processes spin for the same cores, a parallel kernel takes 100 times as long.
test: .venv/dev ## run the tests; ARGS go to pytest
	@OMP_WAIT_POLICY=passive $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist worksteal $(ARGS)

lint: .venv/dev ## check style, format and types
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy

format: .venv/dev ## mend what ruff can mend, and format
	@$(BIN)/ruff check --fix
	@$(BIN)/ruff format

bench: .venv/dev ## measure speed beside other libraries; ARGS go to benchmarks
	@$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove .venv, caches and build products; runs/ stays
	@rm -rf .venv build dist htmlcov .benchmarks .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# .venv/whole is away while an installation is under way, so one that was interrupted is begun anew. It holds the
# folder it was made in, since a moved or copied environment still points at the old one.
whole = [ -x $(BIN)/python ] && [ "$$(cat .venv/whole 2>/dev/null)" = "$$(pwd -P)" ]

ifneq ($(shell $(whole) && echo yes),yes)
.PHONY: .venv/train .venv/dev
endif

.venv/train .venv/dev: pyproject.toml
	@$(whole) || $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "jitgrad needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there)." \
			"Name one: make $(@F) PYTHON=/path/to/python3.11"; exit 1; }
	@$(whole) || { sh tools/system-packages.sh $(PYTHON) && \
		echo "Making a virtual environment in .venv ($$($(PYTHON) --version))" && \
		rm -rf .venv && $(PYTHON) -m venv .venv; }
	@rm -f .venv/whole
	@echo "Installing jitgrad[$(@F)] into .venv (the first time takes a minute or two)"
	@$(BIN)/python -m pip --disable-pip-version-check install -qq -e '.[$(@F)]'
	@touch $@
	@pwd -P > .venv/whole
