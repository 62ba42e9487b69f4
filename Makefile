# Every target sets up what it needs in .venv; nothing else of the machine is changed.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
# Code bases whose own readers the tests run renderings through; what they need besides, torch
# first of all, stays out.
TRAINERS := 'ms-swift==4.6.0' 'llamafactory==0.9.5; python_version >= "3.11"'
DEMO := demo-out
DEMO_DIALOGUE := queen/bud2

export IEAT_CURRENT_DATASETS_PYTHON := $(CURDIR)/.venv/datasets-current/bin/python

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-slow check lint typecheck bench golden lock-prompt

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/dev.stamp ## Set up .venv with everything, the tools of development included

demo: .venv/demo.stamp ## Build rows from the shipped dialogues and show one trace
	$(BIN)/ieat build --config tests/data/queen/demo.yaml --output $(DEMO)
	$(BIN)/ieat show $(DEMO) $(DEMO_DIALOGUE)
	@echo
	@echo "Rows: $(DEMO)/stage1 and $(DEMO)/stage2. Card: $(DEMO)/README.md"
	@echo "All dialogues: $(BIN)/ieat show $(DEMO)"

# Two processes: a test and the server that it asks share one core each.
test: .venv/dev.stamp .venv/datasets-current.stamp ## Run the tests, except the slow ones
	$(BIN)/python -m pytest -n 2 --dist loadscope --cov --cov-report=term:skip-covered

test-slow: .venv/dev.stamp .venv/datasets-current.stamp ## Run the slow tests
	$(BIN)/python -m pytest -m slow

check: lint typecheck test ## Run everything that must pass before a change is merged

lint: .venv/dev.stamp ## Check style and layout of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

typecheck: .venv/dev.stamp ieat ## Check the types
	$(BIN)/mypy ieat

bench: .venv/dev.stamp ## Measure speed
	$(BIN)/python -m tests.bench

golden: .venv/dev.stamp ## Rewrite the golden files; review the diff
	$(BIN)/python -m pytest tests/golden --rewrite-golden

lock-prompt: .venv/dev.stamp ## Release a prompt version: NAME=attribution VERSION=2
	@test -n "$(NAME)" -a -n "$(VERSION)" || { echo "usage: make lock-prompt NAME=.. VERSION=.."; exit 2; }
	$(BIN)/python -m ieat.prompts.lock $(NAME) $(VERSION)

# A checker of types does not follow the editable install, which maps the folders to `ieat.`.
ieat:
	mkdir ieat
	ln -s ../pipeline ../prompts ../schemas ieat/

.venv/python.stamp:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))' || \
		{ echo "$(PYTHON) is not Python 3.10 to 3.13: name one that is, make PYTHON=python3.12 .."; exit 2; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
		{ echo "$(PYTHON) lacks venv: install it (Debian, Ubuntu: apt install python3-venv)"; exit 2; }
	$(PYTHON) -m venv .venv
	@touch $@

.venv/demo.stamp: .venv/python.stamp setup.py
	@echo "Installing into .venv (a few minutes the first time)"
	$(PIP) -e '.[embedded]'
	@touch $@

.venv/dev.stamp: .venv/python.stamp setup.py
	@echo "Installing into .venv (a few minutes the first time)"
	$(PIP) -e '.[embedded,dev]'
	$(PIP) --no-deps $(TRAINERS)
	@touch .venv/demo.stamp $@

# The dev extra holds datasets<4, which decodes audio without torch; the current one reads the same rows.
.venv/datasets-current.stamp: .venv/python.stamp
	$(BIN)/python -m venv .venv/datasets-current
	.venv/datasets-current/bin/python -m pip install --quiet --disable-pip-version-check 'datasets>=4' soundfile
	@touch $@
