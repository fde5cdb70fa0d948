# Everything happens in .venv, which the first target that needs it makes with python3 and uv.
PYTHON  ?= python3
EXTRAS  ?= dev
ORDERS  ?= 200_000
SEED    ?= 7
DATASET ?= data/market
SITE    ?= site
VENV    := .venv
BIN     := $(VENV)/bin
comma   := ,
READY   := $(VENV)/ready-$(subst $(comma),-,$(EXTRAS))

# each of the many processes here would compile all that it imports, for seconds
unexport PYTHONDONTWRITEBYTECODE

# behind a proxy with certificates of its own, uv must trust what the system trusts
export UV_SYSTEM_CERTS := true

.DEFAULT_GOAL := help
.PHONY: help report test studies lint notebooks lab bench coverage parity check clean setup constraints

help: ## what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

report: setup $(DATASET)/dataset.json ## the main job: environment, dataset, notebooks, report
	$(BIN)/cancellations report $(DATASET) --out $(SITE)

$(DATASET)/dataset.json: | setup
	$(BIN)/cancellations generate --orders $(ORDERS) --seed $(SEED) --policy aliexpress --workers 2 --out $(DATASET)

test: setup ## all tests (those that need Spark, a browser or ../shared/data skip where these are absent)
	$(BIN)/python -m pytest -n 3

studies: setup ## the tests that simulate many datasets, beside `make coverage` (ten minutes or more)
	$(BIN)/python -m pytest -n 2 -m study

lint: setup ## style and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/environment.py --check
	$(BIN)/python tools/data_dictionary.py --check

notebooks: setup $(DATASET)/dataset.json ## run every notebook top to bottom under papermill
	$(BIN)/python tools/run_notebooks.py $(DATASET)

lab: setup $(DATASET)/dataset.json ## JupyterLab on the notebooks
	$(BIN)/cancellations lab

bench: setup ## measure speed and memory, rewrite benchmarks/RESULTS.md (options in BENCH="--only growth")
	$(BIN)/python benchmarks/run.py $(BENCH)

coverage: setup ## do intervals hold the truth? run all studies, rewrite benchmarks/COVERAGE.md
	$(BIN)/python -m benchmarks.coverage

parity: setup ## compare every estimator with its reference, rewrite docs/parity.md
	$(BIN)/python tools/parity.py

check: ## lint, tests and notebooks, counting failures instead of stopping at the first
	@failed=0; for job in lint test notebooks; do $(MAKE) --no-print-directory $$job || failed=$$((failed + 1)); done; \
	echo "$$failed of 3 jobs failed"; test $$failed -eq 0

clean: ## remove everything that was generated, the environment included
	rm -rf $(VENV) $(SITE) data/market benchmarks/.peers benchmarks/.bytecode build dist .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

constraints: setup ## resolve pyproject.toml again into constraints.txt (versions and hashes)
	$(BIN)/uv pip compile --quiet --upgrade --universal --all-extras --python-version 3.11 --generate-hashes \
	  --no-annotate --no-header --no-emit-index-url pyproject.toml -o constraints.txt

setup: $(READY)

$(READY): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --constraint constraints.txt --editable '.[$(EXTRAS)]'
	@touch $@
