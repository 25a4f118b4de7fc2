# Everything starts from here: `make help`.

.DEFAULT_GOAL := help
.PHONY: help run test lint bench bench-all native web clean run-environment test-environment
MAKEFLAGS += --no-print-directory
VENV := .venv/bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: run-environment native web ## install what is missing, then run the whole platform on this machine
	@exec $(VENV)/rostra run

test: test-environment native web lint ## install what tests need, then run every test
	@cd web && ../scripts/node npm run --silent test
	@scripts/tests

lint: test-environment ## formatting, lint rules, types, import contracts
	@$(VENV)/ruff format --check --quiet .
	@$(VENV)/ruff check --quiet .
	@$(VENV)/pyright --warnings
	@$(VENV)/lint-imports
	@scripts/web packages
	@cd web && ../scripts/node npm run --silent check

bench: test-environment native web ## measure the capacity of a node; ten minutes, nothing else running
	@$(VENV)/python -m bench.capacity

bench-all: bench ## then every other benchmark; each prints its figures and their reference
	@for name in alias_lookup stage media fullhd audio delay loss backplane relay placement join webapp sessions cluster replication management; do \
	  echo "== bench.$$name"; $(VENV)/python -m bench.$$name || exit 1; done

native: ## build the media stage, our GStreamer plug-in in C
	@$(MAKE) --silent -C src/rostra/media/native

web: ## build the web app into web/dist
	@scripts/web

clean: ## remove everything built or installed here; keeps the state in var/
	rm -rf .venv build web/dist web/node_modules

run-environment:
	@scripts/system-packages run build
	@scripts/python-environment run

test-environment:
	@scripts/system-packages run build test
	@scripts/python-environment test
