# make           every target with a line of explanation
# make TORCH=…   another torch, such as TORCH="torch==2.8.0" for an older GPU driver

PYTHON ?= $(shell command -v python3.11 >/dev/null 2>&1 && python3.11 -c '' 2>/dev/null && echo python3.11 || echo python3)
TORCH ?= torch==2.13.0
VENV := .venv
BIN := $(VENV)/bin
TOX := $(BIN)/tox run
# The env that runs everything wants Python 3.11; elsewhere it runs on the Python that there is.
FULL := $(if $(filter python3.11,$(notdir $(PYTHON))),py311,full)
INSTALLED := $(VENV)/installed
# The checks run in environments that tox makes; for them tox alone is enough.
WITH_TOX := $(VENV)/tox.installed
export TORCH
# Images for containers often forbid bytecode: every test process would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE
# pyenv hides the interpreters that are not selected; tox may use them all.
ifndef PYENV_VERSION
ifneq ($(shell command -v pyenv 2>/dev/null),)
export PYENV_ROOT := $(shell pyenv root)
export PYENV_VERSION := $(shell $(PYTHON) -c 'import platform; print(platform.python_version())'):$(shell pyenv versions --bare 2>/dev/null | grep -E '^3\.1[0-3]\.' | paste -sd:)
endif
endif

.DEFAULT_GOAL := help
.PHONY: help setup demo check test rough lint types docs train-heart01 eval-heart01 ladder-heart01 clean

help: ## show this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-15s %s\n", $$1, $$2}'

setup: $(INSTALLED) ## build the virtual environment and install lawqa with everything it can use

$(INSTALLED): pyproject.toml constraints.txt $(VENV)/torch.choice
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing $(TORCH), lawqa and its tools into $(VENV); the first time takes some minutes"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check "$(TORCH)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[all,dev]"
	@touch $@

$(WITH_TOX): constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt tox
	@touch $@

# Changes only when another torch is asked for, so that setup runs again exactly then.
$(VENV)/torch.choice: force
	@mkdir -p $(VENV)
	@echo '$(TORCH)' | cmp -s - $@ || echo '$(TORCH)' > $@

.PHONY: force
force:

demo: $(INSTALLED) ## run the whole path once on a toy model: split, score, train, score again
	$(BIN)/lawqa demo

check: $(INSTALLED) ## the contributor's loop: lint, types, imports and every test that is not slow
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not rough and not gpu"

# Two at a time: while one installs packages, another's tests run.
test: $(WITH_TOX) ## run everything that is checked: tests, lint, types, import contract, wheel
	$(BIN)/tox run-parallel --parallel 2 -e $(FULL),lint,types,imports,py310,py312,py313,wheel

rough: $(WITH_TOX) ## the long versions of the tests marked rough: kills, full disks, fuzzing; an hour or more
	$(TOX) -e rough

lint: $(WITH_TOX) ## ruff: rules and format
	$(TOX) -e lint

types: $(WITH_TOX) ## mypy --strict
	$(TOX) -e types

docs: $(INSTALLED) ## make the documents, the README blocks and the targets below from docs_src
	$(BIN)/lawqa docs build

# Where torch was chosen by hand for an old driver, a setup would replace it: these use what is installed.
LAWQA ?= $(BIN)/lawqa
HAS_LAWQA = command -v $(LAWQA) >/dev/null || { echo "$(LAWQA) is not there: see docs/heart01, or make setup" >&2; exit 2; }
# lawqa docs: begin targets (PLACE=practice rehearses them anywhere; STEP_FLAGS=--dry-run only prints)
train-heart01: ## the training steps of heart01, resumed where they stopped
	@$(HAS_LAWQA)
	$(LAWQA) step run --place $(or $(PLACE),heart01) $(STEP_FLAGS) doctor check-data split check-leaks records-rag rehearse-rag trial-rag crossval-thinking log-training

eval-heart01: ## the evaluation steps of heart01, resumed where they stopped
	@$(HAS_LAWQA)
	$(LAWQA) step run --place $(or $(PLACE),heart01) $(STEP_FLAGS) base-thinking compare-thinking rescore report log-evaluation summary

ladder-heart01: ## every way of asking over all questions: base, and adapters by cross-validation; resumed where it stopped
	@$(HAS_LAWQA)
	$(LAWQA) step run --place $(or $(PLACE),heart01) $(STEP_FLAGS) ladder log-baseline-hf crossval-closed crossval-rag crossval-gold crossval-closed-cot crossval-rag-cot crossval-gold-cot crossval-closed-thinking crossval-gold-thinking summary
# lawqa docs: end targets

clean: ## remove the virtual environments and caches; runs and results stay
	rm -rf $(VENV) .tox build dist .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find lawqa tests scripts benchmarks -name __pycache__ -type d -exec rm -rf {} +
