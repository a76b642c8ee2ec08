# Every task of the project, one line each: `make help` prints them.

PYTHON ?= python3
VENV := .venv
RUN := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
BENCH ?=
ORDERS ?=
TAKE ?=
UPGRADE ?=

# Whole servers, browsers, PostgreSQL, many threads, whole cities and what one does on each page
# are left to `make test`; that every page runs for its roles is not.
QUICK := not browser and not server and not postgresql and not race and not slow

.DEFAULT_GOAL := help
.PHONY: help setup run demo bulk jobs migrate audit-verify rotate-keys check format quick test nightly bench screenshots lock

help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## Make .venv and install what requirements.lock names.

$(INSTALLED): requirements.lock tools/setup.sh
	@PYTHON=$(PYTHON) VENV=$(VENV) bash tools/setup.sh
	@touch $@

run: setup ## Start server and worker (HOST, PORT, DATABASE_URL; 127.0.0.1:8501).
	@exec $(RUN) tools/run.py

demo: setup ## Rebuild the demo database (ORDERS=20000: a larger one, for benchmarks).
	@$(RUN) -m services.demo
	@test -z "$(ORDERS)" || $(RUN) -m benchmarks.bulk $(ORDERS)

bulk: setup ## Make up figures for benchmarks (ORDERS=10000000, in CAREPILOT_FIGURES or var/bench).
	@$(RUN) -m benchmarks.bulk.lake $(ORDERS)

migrate: setup ## Bring the database at DATABASE_URL to the newest migration.
	@$(RUN) -c 'from data.database import upgrade; upgrade()'

jobs: setup ## Run every job that is due, once (for cron); fails if one did.
	@$(RUN) -m tools.run_jobs

audit-verify: setup ## Walk the audit chain; name the first broken row.
	@$(RUN) -m tools.audit_verify

rotate-keys: setup ## Seal everything anew under CAREPILOT_SEALING_KEY, while the server runs.
	@$(RUN) -m tools.rotate_keys

check: setup ## Lint, formatting and types.
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .
	@$(RUN) -m pyright

format: setup ## Let ruff mend what it can.
	@$(RUN) -m ruff check --fix .
	@$(RUN) -m ruff format .

# Every worker and every server of a run would compile the same files anew.
quick test: export PYTHONDONTWRITEBYTECODE =

quick: setup ## Rules, services on SQLite, and every page once (under 90 s).
	@$(RUN) -m pytest -n 2 --dist loadfile -m "$(QUICK)" --ignore tests/pages

test: setup ## All tests; installs Chromium and PostgreSQL where it may.
	@bash tools/test_setup.sh $(RUN)
	@$(RUN) -m pytest -n 2 --dist loadfile --no-loadscope-reorder

nightly: setup ## 5,000 random lives of orders and plans on SQLite (EXAMPLES=300: fewer).
	@CAREPILOT_EXAMPLES=$(or $(EXAMPLES),5000) timeout 8h $(RUN) -m pytest -n 2 --timeout 0 -k "whatever and not postgresql" \
		tests/services/test_order_machine.py tests/services/test_plan_machine.py

bench: setup ## Side-by-side ratios, as a table.
	@$(RUN) -m benchmarks $(BENCH)

screenshots: setup ## Photograph every page into screenshots/ (TAKE="--role analyst": a part).
	@$(RUN) -m tools.screenshots $(TAKE)

lock: setup ## Write requirements.lock from pyproject.toml (UPGRADE=--upgrade: newest versions).
	@$(RUN) -m uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-header \
		$(UPGRADE) pyproject.toml --group dev -o requirements.lock
