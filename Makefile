# Every target sets up what it needs; the first one on a fresh machine takes a minute or two.
# Python keeps what it compiles: what is built starts many processes.
unexport PYTHONDONTWRITEBYTECODE
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
JS_READY := clients/js/node_modules/.ready
DESK := apps/motion/desk
DESK_READY := $(DESK)/node_modules/.ready
DESK_API := $(DESK)/src/api/api.ts
UI := apps/motion/web/index.html
UI_SOURCES = $(shell find $(DESK) clients/js/src -type f -not -path '*/node_modules/*' -not -path '*/test/*' -not -path $(DESK_API))
SMALL := apps/pages
SMALL_READY := $(SMALL)/node_modules/.ready
SMALL_APPS := $(patsubst $(SMALL)/%/index.html,%,$(wildcard $(SMALL)/*/index.html))
SMALL_WEB := $(SMALL_APPS:%=apps/%/web/index.html)
SMALL_SOURCES = $(shell find $(SMALL) clients/js/src -type f -not -path '*/node_modules/*' -not -path '*/api/*')
DASHBOARD := server/dashboard
DASHBOARD_READY := $(DASHBOARD)/node_modules/.ready
PAGES := server/synovia/dashboard/web/index.html
PAGES_SOURCES = $(shell find $(DASHBOARD) clients/js/src -type f -not -path '*/node_modules/*' -not -path '*/test/*')
BROWSER_READY := tests/browser/node_modules/.ready
CHAT := examples/convex-chat/front
CHAT_READY := $(CHAT)/node_modules/.ready
ELECTRON := examples/electron
ELECTRON_READY := $(ELECTRON)/node_modules/.ready
DOCS_READY := .venv/.docs-ready
PARTS := protocol clients/python clients/qt server apps/motion
APP ?= apps/motion

.DEFAULT_GOAL := help
.PHONY: help dev ui dashboard demo test test-fast lint format torture bench docs clean

help:  ## Show the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-9s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): constraints.txt requirements-dev.txt $(PARTS:%=%/pyproject.toml)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Synovia needs Python 3.11 or later")'
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement requirements-dev.txt \
		--editable protocol --editable clients/python --editable clients/qt --editable 'server[metrics,traces,shared,vectors,s3]' --editable 'apps/motion[c3d]'
	@touch $@

dev: $(READY)  ## Run an application on the embedded store, with reload, and its page: motion, or APP=apps/planner
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(if $(filter $(notdir $(APP)),$(SMALL_APPS)),$(APP)/web/index.html,ui) dashboard || echo "The page could not be built; the server starts without the new one."; \
	else echo "Without Node.js (https://nodejs.org) there is no page; the server starts all the same."; fi
	$(BIN)/synovia dev $(APP)

ui: $(UI)  ## Build the page of the motion application

$(UI): $(DESK_READY) $(READY) $(UI_SOURCES) $(wildcard apps/motion/*.py apps/motion/functions/*.py apps/motion/domain/*.py)
	cd $(DESK) && npm run --silent build
	@touch $@

$(SMALL_WEB): apps/%/web/index.html: $(SMALL_READY) $(READY) $(SMALL_SOURCES)
	cd $(SMALL) && npm run --silent build -- $*
	@touch $@

dashboard: $(PAGES)  ## Build the pages for operators: http://127.0.0.1:8000/_synovia/

$(PAGES): $(DASHBOARD_READY) $(PAGES_SOURCES)
	cd $(DASHBOARD) && npm run --silent build
	@touch $@

demo: $(READY)  ## Show the main job as it happens, on both stores
	$(BIN)/python -m motion.demo

$(DESK_READY): $(DESK)/package.json $(DESK)/package-lock.json
	cd $(DESK) && npm ci --no-audit --no-fund
	@touch $@

$(SMALL_READY): $(SMALL)/package.json $(SMALL)/package-lock.json
	cd $(SMALL) && npm ci --no-audit --no-fund
	@touch $@

$(DASHBOARD_READY): $(DASHBOARD)/package.json $(DASHBOARD)/package-lock.json
	cd $(DASHBOARD) && npm ci --no-audit --no-fund
	@touch $@

$(BROWSER_READY): tests/browser/package.json tests/browser/package-lock.json
	cd tests/browser && npm ci --no-audit --no-fund
	@touch $@

$(CHAT_READY): $(CHAT)/package.json $(CHAT)/package-lock.json
	cd $(CHAT) && npm ci --no-audit --no-fund
	@touch $@

$(ELECTRON_READY): $(ELECTRON)/package.json $(ELECTRON)/package-lock.json
	cd $(ELECTRON) && npm ci --no-audit --no-fund
	@touch $@

$(JS_READY): clients/js/package.json clients/js/package-lock.json
	cd clients/js && npm ci --no-audit --no-fund
	@touch $@

test: $(READY) $(JS_READY) $(UI) $(SMALL_WEB) $(PAGES) $(BROWSER_READY) $(CHAT_READY) $(ELECTRON_READY)  ## Check style and types, then run every test; tells how long each suite took
	$(BIN)/python tests/suites.py

test-fast: $(READY)  ## Check style, then run what needs neither a MongoDB nor a browser and is not slow
	$(BIN)/python tests/suites.py --fast

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)  ## Format the code and mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

torture: $(READY)  ## Look for broken promises: hubs and databases die under load (MINUTES=30 SEED=1)
	$(BIN)/python -m pytest -q -n 2 -m 'torture or not torture' --hypothesis-profile deep $(or $(DEEP),tests)
	cd tests && ../$(BIN)/python -m torture --minutes $(or $(MINUTES),30) --seed $(or $(SEED),1)
	cd tests && ../$(BIN)/python -m torture.fuzz --frames $(or $(FRAMES),1000000) --seed $(or $(SEED),1)
	cd tests && ../$(BIN)/python -m torture.churn --minutes $(or $(CHURN),10)
	cd tests && ../$(BIN)/python -m torture.calls --calls $(or $(CALLS),10000)
	cd tests && ../$(BIN)/python -m torture.jobs
	cd tests && ../$(BIN)/python -m torture.clocks
	cd tests && ../$(BIN)/python -m torture.full_disk
	cd tests && ../$(BIN)/python -m torture.power_loss
	cd tests && ../$(BIN)/python -m torture.large_cascade --schedules $(or $(SCHEDULES),100000)
	cd tests && ../$(BIN)/python -m torture.large_reports
	cd tests && ../$(BIN)/python -m torture.large_files --megabytes $(or $(MEGABYTES),200)
	cd tests && ../$(BIN)/python -m torture.large_export --documents $(or $(DOCUMENTS),100000) --megabytes $(or $(MEGABYTES),200)
	cd tests && ../$(BIN)/python -m client.qt.trials

bench: $(READY)  ## Measure, each figure as a ratio to a limit measured in the same run
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory ui $(BROWSER_READY) $(JS_READY) $(CHAT_READY); else echo "Without Node.js (https://nodejs.org) no page is measured."; fi
	$(BIN)/python -m benchmarks

docs: $(DOCS_READY)  ## Build the documentation site: build/docs/index.html
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet --doctree-dir build/doctrees docs build/docs
	@echo "built: build/docs/index.html"

$(DOCS_READY): $(READY) requirements-docs.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt --requirement requirements-docs.txt
	@touch $@

clean:  ## Remove what the targets have made
	rm -rf .venv clients/js/node_modules clients/js/dist $(DESK)/node_modules $(SMALL)/node_modules apps/*/web $(DASHBOARD)/node_modules server/synovia/dashboard/web tests/browser/node_modules $(CHAT)/node_modules $(ELECTRON)/node_modules tests/convex/clients/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis build
