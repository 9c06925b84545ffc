# Short names for what CONTRIBUTING.md describes.  Uses .venv where there is one, else what is on the PATH.
BIN ?= $(if $(wildcard .venv/bin/python),.venv/bin/)
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help lint check test slow gate docs bench rooms constraints

help: ## show this list
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 14

lint: ## ruff, format, mypy, the arrows between the rooms, sections of docstrings
	$(BIN)ruff check .
	$(BIN)ruff format --check .
	$(BIN)mypy
	$(BIN)lint-imports
	$(BIN)numpydoc lint $(shell git ls-files 'src/*.py')

check: lint ## the fast check before each commit: lint, and the cases worked out by hand
	$(BIN)python -m pytest -n $(WORKERS) tests/proves tests/test_architecture.py

test: ## all tests of a normal run
	$(BIN)python -m pytest -n $(WORKERS)

slow: ## what takes longer: more of the same problems
	$(BIN)python -m pytest -n $(WORKERS) -m slow

gate: ## everything, from a clean clone, as hosted CI does it; may install Debian packages
	.ci/run

docs: ## the documentation, warnings as errors
	$(BIN)sphinx-build -W --keep-going -q -b html docs docs/_build

bench: ## a quick round of the benchmarks (results in benchmarks/RESULTS.md are of full ones)
	$(BIN)python benchmarks/engines.py --quick
	$(BIN)python benchmarks/phases.py

rooms: ## draw docs/images/rooms.svg anew from the imports
	$(BIN)python tools/draw_rooms.py

constraints: ## write constraints.txt anew from the newest packages, in an environment of its own
	.ci/constraints
