# Every verb sets up .venv from a bare Python 3.11 first. `make` alone lists the verbs.
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready
SERVICES := $(VENV)/services
DIR ?= data/samples/inbox
# Folder by folder in their order: those with heavy files come first, many light ones keep both processes busy to the end.
SPREAD := --numprocesses 2 --dist loadfile --no-loadscope-reorder

.DEFAULT_GOAL := help
.PHONY: help run test test-services check bench bench-national mutants docs lock xsd samples samples-check clean

help: ## list the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):[^#]*## (.*)/  make \1\t\2/' | expand -t 24

$(READY): requirements-dev.lock pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "make: no $(PYTHON) on this machine; install Python 3.11 or name one: make PYTHON=/path/to/python3.11"; exit 2; }
	@echo 'setting up $(VENV) (about a minute)'
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

$(SERVICES): $(READY) requirements-services.lock
	@echo 'adding the servers that tests start'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-services.lock
	@touch $@

run: $(READY) ## process the sample quarter 2026/3 into ./lake and ./out
	@# Exit code 1 is right here: the sample quarter holds faulty filings, which are refused.
	@DMFA_RECEIVED_ON=2026-11-22 $(BIN)/dmfa reference import persons data/samples/directory/persons.csv --authorisations data/samples/authorisations.yaml
	@DMFA_RECEIVED_ON=2026-11-22 $(BIN)/dmfa run 2026/3 --report --inbox data/samples/inbox --authorisations data/samples/authorisations.yaml || [ $$? -eq 1 ]

test: $(READY) ## all tests but those that start servers
	$(BIN)/python -m pytest $(SPREAD)

test-services: $(SERVICES) ## the tests that start servers: Prefect, PostgreSQL, S3, a Dask cluster
	$(BIN)/python -m pytest tests/services tests/functional/test_run.py tests/functional/test_canary.py -m services

check: $(READY) ## what has to be clean before a change lands: style, types, layers, tests with branch coverage, docs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tools/check_locks.py
	$(BIN)/python -m pytest $(SPREAD) --cov --cov-report=term:skip-covered
	$(BIN)/python tools/docs.py --check

bench: $(READY) ## ratios of the quarter, of ingest, of validating and shredding to the xmllint yardstick; speed of the law, of corrections
	$(BIN)/python benchmarks/quarter.py
	$(BIN)/python benchmarks/ingest.py
	$(BIN)/python benchmarks/validate_shred.py
	$(BIN)/python benchmarks/law.py
	$(BIN)/python benchmarks/corrections.py

bench-national: $(READY) ## a quarter of the whole country beside smaller ones: growth, memory, disk (35 GB, resumable)
	$(BIN)/python benchmarks/national.py

mutants: $(READY) ## change the law in 300 small ways and see which of them the tests notice
	$(BIN)/python tools/mutants.py

docs: $(READY) ## generate the data dictionary and check that the pages are up to date
	$(BIN)/python tools/docs.py

lock: $(READY) ## pin the dependencies anew, with hashes and without addresses
	$(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra cluster --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	$(BIN)/pip-compile --quiet --allow-unsafe --generate-hashes --strip-extras --no-header --no-annotate --no-emit-index-url --no-emit-trusted-host --no-emit-find-links --extra cluster --extra dev --extra services --constraint requirements-dev.lock --output-file requirements-services.lock pyproject.toml

xsd: $(READY) ## write xsd/ from the facts in tools/xsd/facts
	$(BIN)/python tools/xsd/write.py
	$(BIN)/python tools/xsd/attestation.py
	$(BIN)/python tools/xsd/answers.py

samples: $(READY) ## make data/samples anew
	$(BIN)/python -m dmfa.synth.samples

samples-check: $(READY) ## ingest DIR and compare the tables with the files cell by cell
	$(BIN)/python tools/samples_check.py $(DIR)

clean: ## remove the environment and what the sample run made
	rm -rf $(VENV) lake out
