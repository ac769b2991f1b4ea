# Two commands do everything: `make demo` and `make test`. Each installs what it lacks.
SHELL := /bin/bash
.DEFAULT_GOAL := help
VENV := .venv
BIN := $(VENV)/bin
PINS := infra/constraints.txt
export DO_NOT_TRACK := 1
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: help demo up test endurance fast lint mutants format clean

help:  ## say what there is
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: $(VENV)/.run  ## run the main job on a sample request and say what to open
	@$(BIN)/foi demo

up: $(VENV)/.run  ## the demo's stack again, to look at: store, Prefect, worker, watcher; Ctrl-C stops it
	@$(BIN)/foi up --policy infra/demo/policy.json --allow-unreviewed

test: lint  ## lint, then every test on real Tesseract, S3 servers and Prefect
	$(BIN)/pytest -m "not servers and not flow" -n auto --dist loadfile
	$(BIN)/pytest -m "(servers or flow) and not endurance" -n 3 --dist loadfile

endurance: $(VENV)/.dev  ## bursts of events, killed workers, alarms, a bad night: what takes minutes of real time (about half an hour)
	$(BIN)/pytest -m endurance

fast: $(VENV)/.dev  ## the tests that start no server and render little
	$(BIN)/pytest -m "not servers and not flow and not slow"

lint: $(VENV)/.dev  ## ruff and mypy, exactly as `make test` runs them
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

mutants: $(VENV)/.dev  ## change the gate in 200 small ways and say how many the tests notice (about 20 minutes)
	nice -n 10 $(BIN)/python -m tests.attacks.mutants --count 200

format: $(VENV)/.dev  ## mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:  ## remove what the demo made; the virtual environment stays
	rm -rf build

$(VENV)/.run: pyproject.toml $(PINS) infra/install-packages
	@infra/install-packages run
	@infra/make-venv $(VENV)
	$(BIN)/pip install --quiet --constraint $(PINS) --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run infra/opinions.txt
	@infra/install-packages test
	@infra/make-venv $(VENV)/opinions
	$(VENV)/opinions/bin/pip install --quiet --no-deps --requirement infra/opinions.txt
	$(BIN)/pip install --quiet --constraint $(PINS) --editable '.[dev]'
	@touch $@
