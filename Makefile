# ppocr-serving: `make serve` runs it, `make test` tests it. Everything is installed into .venv; nothing needs root.
# The Python for .venv; if empty, scripts/find_python chooses the newest usable one.
PYTHON ?=
PORT ?= 8080
GRPC_PORT ?= 8081
VENV ?= .venv
BIN := $(VENV)/bin
# A second model, also in Paddle's format: for comparing engines, and for swaps with the built-in model.
V4 := .cache/bundles/ppocrv4-mobile/1
# Programs that some tests run: helm, a browser, …
PROGRAMS := .cache/bin

.DEFAULT_GOAL := help
.PHONY: help serve test test-hostile test-cluster check format bench bench-text clean

help:  ## Show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

serve: $(VENV)/.serve  ## Run the service on the CPU: HTTP on PORT (8080), gRPC on GRPC_PORT (8081)
	@$(BIN)/ppocr serve --http_port $(PORT) --grpc_port $(GRPC_PORT)

test: $(VENV)/.dev $(V4)  ## Run all tests that need no cluster
	@$(BIN)/python scripts/test_programs.py $(PROGRAMS)
	$(BIN)/python -m tests $(ARGS)

# All test files named in docs/security.md, except those that need a cluster.
test-hostile: $(VENV)/.dev $(V4)  ## Run the tests of hostile input and faults at full size: two hours (docs/security.md)
	PPOCR_NIGHTLY=1 $(BIN)/python -m tests --timeout 5400 $(ARGS) \
		$$(grep -oE 'tests/[a-z0-9_/]+\.py' docs/security.md | grep -v ^tests/cluster/ | sort -u)

test-cluster: $(VENV)/.dev $(V4)  ## Run the tests that need a cluster (docs/kubernetes.md): KUBECONFIG names it
	@$(BIN)/python scripts/test_programs.py $(PROGRAMS)
	@$(BIN)/python -m tests.environments pipeline-client
	$(IN) $(BIN)/python -m pytest tests/cluster $(ARGS)

check: $(VENV)/.dev  ## Check format, lint, types and the import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev  ## Format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(VENV)/.dev  ## Compare the service with its peers: make bench ARGS='--images DIR --labels DIR'
	$(BIN)/python -m bench $(ARGS)

bench-text: $(VENV)/.dev  ## Measure the accuracy on many kinds of images: make bench-text ARGS='--count 20 --only narrow'
	$(BIN)/python -m bench.text $(ARGS)

clean:  ## Remove the environment, the peers' environments and caches
	rm -rf $(VENV) bench/.peers .cache .hypothesis .mypy_cache .ruff_cache .pytest_cache

$(V4): | $(VENV)/.dev
	$(BIN)/python -m ppocr_convert.v4_mobile .cache/bundles || echo "test: PP-OCRv4 could not be created; tests that need it will be skipped" >&2

$(VENV)/.serve: requirements/serve.txt pyproject.toml clients/python/pyproject.toml
	@scripts/make_venv "$(PYTHON)" "$(VENV)" requirements/serve.txt
	@touch $@

$(VENV)/.dev: requirements/dev.txt pyproject.toml clients/python/pyproject.toml
	@scripts/make_venv "$(PYTHON)" "$(VENV)" requirements/dev.txt
	@touch $@ $(VENV)/.serve
