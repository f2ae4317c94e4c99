# `make lab` opens JupyterLab, `make voila` the builder as a page without code, `make test` runs
# everything that CI runs, `make demo` runs the first notebook without a screen and prints where the
# audience is.

PYTHON ?= $(shell for p in python3.12 python3.13 python3.11 python3; do \
  $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
NOTEBOOK := notebooks/01_first_audience.ipynb
ROOT_ARGS := $(if $(filter 0,$(shell id -u)),--allow-root,)
SOURCES := $(shell find widgets/src widgets/package.json widgets/build.mjs -type f 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help lab voila test demo docs binder-check data bundle lint types unit frontend notebooks browser clean

help:
	@echo "make lab    open JupyterLab on $(NOTEBOOK)"
	@echo "make voila  open the builder as a page without code"
	@echo "make test   install what tests need and run them all"
	@echo "make demo   run the notebook without a screen, print where the CSV is"
	@echo "make docs   build the pages, print where they are"

.venv/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 was found. Set PYTHON=/path/to/python."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || sh tests/apt_install.sh python3-venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab]'
	@touch $@

.venv/indexed: .venv/installed $(wildcard data/catalog.csv.gz)
	@echo "Preparing the index and the clustering, once…"
	$(BIN)/python -m audience_nb
	@touch $@

.venv/tested: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab,test,docs]'
	$(BIN)/python tests/browser/chromium.py
	@touch $@

lab: .venv/indexed
	$(BIN)/jupyter lab $(ROOT_ARGS) --LabApp.default_url=/lab/tree/$(NOTEBOOK) $(LAB_ARGS)

voila: .venv/indexed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab,voila]'
	$(BIN)/voila notebooks/page.ipynb $(VOILA_ARGS)

demo: .venv/indexed
	@$(BIN)/jupyter nbconvert --log-level=ERROR --to notebook --execute --output-dir build/demo \
	  --ExecutePreprocessor.store_widget_state=False --KernelManager.transport_encryption=auto \
	  $(NOTEBOOK)
	@$(BIN)/python -c 'import pathlib; f = max(pathlib.Path("notebooks/exports").glob("*.csv"), key=lambda p: p.stat().st_mtime); print(f"Exported audience: {f.resolve()}")'

docs: .venv/installed
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[lab,docs]'
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/docs/doctrees docs build/docs/html
	@echo "Open $(CURDIR)/build/docs/html/index.html"

binder-check:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 to 3.13 was found. Set PYTHON=/path/to/python."; exit 1; }
	$(PYTHON) tests/binder_build.py

test: lint types frontend unit notebooks browser

lint: .venv/tested
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/tested
	$(BIN)/mypy

unit: .venv/tested .venv/indexed
	$(BIN)/pytest -q --ignore=tests/browser

notebooks: .venv/tested .venv/indexed
	$(BIN)/pytest -q --nbval-lax --nbval-sanitize-with tests/nbval_sanitize.cfg notebooks

browser: .venv/tested .venv/indexed widgets/node_modules/installed
	$(BIN)/pytest -q tests/browser

widgets/node_modules/installed: widgets/package.json widgets/package-lock.json .venv/tested
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix widgets ci --no-audit --no-fund
	@touch $@

frontend: widgets/node_modules/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix widgets run typecheck
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix widgets test

bundle: widgets/node_modules/installed
	PATH="$(CURDIR)/$(BIN):$$PATH" npm --prefix widgets run build

data: .venv/installed
	$(BIN)/python data/build.py

clean:
	rm -rf .venv build dist widgets/node_modules notebooks/exports
