# From a clone to a running Concord: `make demo`. To check everything: `make sure`. All targets: `make help`.

# Any Python of 3.11 or later will do; name one to be sure of it: `make demo PYTHON=python3.12`.
PYTHON ?=
VENV ?= .venv
# How many processes share the tests: 0 runs them in pytest's own.
TEST_WORKERS ?= 2
# Where the list of packages goes.
SBOM ?= dist/concord.cdx.json
# More words for pytest: `make test PYTEST_ARGS="-k pool -x"`.
PYTEST_ARGS ?=

BIN := $(VENV)/bin
RUNTIME := $(VENV)/.runtime-ready
DEVELOPMENT := $(VENV)/.development-ready
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --only-binary :all: \
	--no-emit-index-url --python-version 3.11 --custom-compile-command "make lock"

export PYTHON VENV
# The demonstration and the tests start many processes: none should compile its libraries anew.
export PYTHONDONTWRITEBYTECODE :=

.DEFAULT_GOAL := help
.PHONY: help bootstrap browser demo test lint format format-check types contracts static sure lock assets sbom bench clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

bootstrap: $(DEVELOPMENT) ## Make the environment: .venv with every pinned package, and the project in it

$(RUNTIME): requirements/bootstrap.lock requirements/runtime.lock pyproject.toml scripts/bootstrap
	@scripts/bootstrap runtime

$(DEVELOPMENT): requirements/bootstrap.lock requirements/dev.lock pyproject.toml scripts/bootstrap
	@scripts/bootstrap dev

browser: ## Find a Chromium for the browser tests, or fetch one
	@scripts/browser

demo: $(RUNTIME) ## Run Concord with a synthetic consortium on http://127.0.0.1:8000
	@$(BIN)/concord demo

test: $(DEVELOPMENT) ## Run all tests, the browser journeys among them
	@scripts/oidc-provider >/dev/null && chromium="$$(scripts/browser)" && CONCORD_CHROMIUM="$$chromium" $(BIN)/pytest -n $(TEST_WORKERS) $(PYTEST_ARGS)

lint: $(DEVELOPMENT) ## Check the code for mistakes
	@$(BIN)/ruff check .

format: $(DEVELOPMENT) ## Rewrite the code in the house's format
	@$(BIN)/ruff check --quiet --select I --fix .
	@$(BIN)/ruff format .

format-check: $(DEVELOPMENT) ## Check the format without changing it
	@$(BIN)/ruff format --check .

types: $(DEVELOPMENT) ## Check the types, strictly
	@$(BIN)/mypy

contracts: $(DEVELOPMENT) ## Check which storey may import which
	@$(BIN)/lint-imports

# A stray platform/__init__.py would hide the standard library's module of that name, and with it most of Python.
static: ## Run every check but the tests
	@test ! -e platform/__init__.py || { echo "Remove platform/__init__.py: it hides the standard library's platform." >&2; exit 1; }
	@$(MAKE) --no-print-directory format-check lint types contracts

sure: static test ## Run every check there is, as CI does

lock: $(DEVELOPMENT) ## Pin the newest packages that pyproject.toml and requirements/bootstrap.in allow
	@$(COMPILE) --upgrade --group dev pyproject.toml -o requirements/dev.lock
	@$(COMPILE) --upgrade -c requirements/dev.lock pyproject.toml -o requirements/runtime.lock
	@$(COMPILE) --upgrade -c requirements/dev.lock requirements/bootstrap.in -o requirements/bootstrap.lock

assets: ## Build the stylesheets and scripts that the pages use (needs npm)
	@cd platform/concord/web/assets && npm ci && npm run build

# No index is named: it says where this machine fetches from, and nothing of what Concord is made of.
sbom: $(DEVELOPMENT) ## List every package that Concord runs with, as CycloneDX, in dist/concord.cdx.json
	@mkdir -p $(dir $(SBOM)) && $(BIN)/python -W ignore -m cyclonedx_py requirements --pyproject pyproject.toml \
		--output-reproducible --short-PURLs --index-url "" --of JSON -o $(SBOM) requirements/runtime.lock

bench: $(DEVELOPMENT) ## Run the benchmarks; each prints ratios of one run
	@for bench in bench/[a-z]*.py; do echo "== $$bench"; $(BIN)/python "$$bench" || exit 1; done

clean: ## Remove the environment, the fetched browser and the caches
	@rm -rf $(VENV) .browser .oidc-provider .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache dist
