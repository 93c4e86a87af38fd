# `make demo` and `make test` do all their own set-up; the others are for maintainers.
.DEFAULT_GOAL := help
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

VENV := .venv
PYTHON := $(VENV)/bin/python
STAMP := $(VENV)/.locked
UV := toolkit/bin/uv
LOCKS := toolkit delivery kubernetes dev uv dvc deepchecks evidently nannyml airflow kfp bench spark \
  go node envoy sources classifier
WORKERS ?= 2
PYTEST := $(PYTHON) -m pytest

.PHONY: help dev-env demo demo-delivery demo-watch test lint bench act browser kubernetes honesty honesty-long heavy generate lock release format

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | sort | column -t -s "$$(printf '\t')"

$(STAMP): requirements/dev.txt
	$(UV) venv --quiet --no-project --allow-existing --python '>=3.11,<3.13' $(VENV)
	$(UV) pip sync --quiet --require-hashes --python $(PYTHON) requirements/dev.txt
	touch $@

dev-env: $(STAMP) ## Make the environment the tests and linters run in

demo: $(STAMP) ## Run three pull requests through the gate, under real act
	@$(PYTHON) tests/demo/run.py

demo-delivery: $(STAMP) ## Deliver two models to a controller on this machine, under load
	@$(PYTHON) tests/demo/delivery.py

demo-watch: $(STAMP) ## Watch a model for a simulated month, with and without harmful drift
	@$(PYTHON) tests/demo/watch.py

test: $(STAMP) ## Run the unit and contract tests
	$(PYTEST) -n $(WORKERS) --dist loadgroup -m "not act and not heavy and not honesty and not browser and not kubernetes"

act: $(STAMP) ## Run the workflows through real act
	$(PYTEST) -n $(WORKERS) --dist loadfile -m act tests/act

honesty: $(STAMP) ## Simulate the statistics, the quick run
	$(PYTEST) -n $(WORKERS) -m "honesty and not heavy" tests/honesty

honesty-long: $(STAMP) ## Simulate the statistics in full and write docs/honesty (hours)
	$(PYTEST) -n $(WORKERS) -m "honesty and heavy" tests/honesty
	$(PYTHON) tests/honesty/verdicts.py
	$(PYTHON) tests/honesty/rollouts_page.py --processes $(WORKERS)
	$(PYTHON) tests/honesty/monitoring_page.py --processes $(WORKERS)
	$(PYTHON) tests/honesty/table.py --processes $(WORKERS)

heavy: $(STAMP) ## Run the suites that need servers or large environments
	$(PYTEST) -n $(WORKERS) --dist loadgroup -m "heavy and not honesty"

kubernetes: $(STAMP) ## Drive a real API server with its etcd (built with Go, once)
	$(PYTEST) -m kubernetes tests/kubernetes

browser: $(STAMP) ## Open report.html in a real Chromium, and look at the comment in it
	$(PYTEST) -m browser tests/browser

bench: $(STAMP) ## Measure the claims of bench/, each as a ratio
	@for file in bench/*.py; do echo "== $$file"; $(PYTHON) "$$file"; done

lint: $(STAMP) ## Run every static check
	$(PYTHON) tests/lint.py

format: $(STAMP) ## Format the code
	$(VENV)/bin/ruff format toolkit tests bench
	$(VENV)/bin/ruff check --fix toolkit tests bench

generate: $(STAMP) ## Write action.yml files, the JSON Schema and the reference pages
	$(PYTHON) tests/contract/generate.py

lock: ## Resolve requirements/*.in again into hashed locks
	for name in $(LOCKS); do \
	  $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
	    --no-annotate "requirements/$$name.in" -o "requirements/$$name.txt"; \
	done

release: $(STAMP) ## Make the two commits of a release: make release VERSION=1.2.3 [DRY_RUN=1]
	$(PYTHON) .github/release.py "$(VERSION)" $(if $(DRY_RUN),--dry-run)
