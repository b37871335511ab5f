# Everything is installed into virtual environments under .cache, which git
# ignores; nothing of the user's is touched.

# The Python that they are made with: `make test PYTHON=python3.12`.
PYTHON ?= python3

# What test-all runs on: all, or some of: oldest newest 3.8 3.9 ...
PYTHONS ?= all

# How many schedules of faults soak plays, and how many documents of each kind it
# makes up. Its figures are in .cache/soak, too.
SCHEDULES ?= 1000

# Where demo stores: nothing for a folder, `own` for a registry that it starts, or a host.
REGISTRY ?=

# The tests run side by side, each file's one after another.
SIDE_BY_SIDE ?= -n auto --dist loadfile

# What runs pytest, for coverage.
BY ?=

# Further arguments for pytest: `make test ARGS='-k blob -x'`; and for the
# benchmarks: `make bench ARGS='--quick pull-1g'`.
ARGS ?=

make_venv = PYTHON='$(PYTHON)' scripts/make-venv
venvs = .cache/venv
dev = $(venvs)/dev/bin/python -m
# With these set, another project's modules would be seen first.
unexport PYTHONPATH
unexport PYTHONHOME

.PHONY: help demo test soak test-all test-lowest audit coverage coverage-report lint format typecheck docs dist registries compatibility bench bench-tools clean
.DEFAULT_GOAL := help

help: ## show this
	@sed -n 's/^\([a-z-]*\):.*## /\1:/p' Makefile | \
	    while IFS=: read -r name does; do printf '  make %-13s %s\n' "$$name" "$$does"; done

demo: ## store a file in a folder and read it back, or in a registry (REGISTRY=own)
	@PYTHON='$(PYTHON)' scripts/demo '$(REGISTRY)'

test: venv-test ## run the tests
	$(venvs)/test/bin/python -m $(BY) pytest $(SIDE_BY_SIDE) $(ARGS)

soak: venv-test ## let far more go wrong than the tests do (SCHEDULES=1000)
	@code=0; DXF_FAULT_SCHEDULES='$(SCHEDULES)' DXF_FAULT_SWEEP_STEP=23 DXF_FAULT_FIGURES=.cache/soak \
	    $(venvs)/test/bin/python -m pytest tests/test_faults.py $(ARGS) || code=$$?; \
	    DXF_FUZZ_EXAMPLES='$(SCHEDULES)' $(venvs)/test/bin/python -m pytest tests/test_fuzz.py $(ARGS) || code=$$?; \
	    cat .cache/soak/faults.json .cache/soak/faults.rst; exit $$code

test-all: venv-nox ## run the tests on each Python found (PYTHONS=all)
	PYTHONS='$(PYTHONS)' $(venvs)/nox/bin/python -m nox -- $(ARGS)

test-lowest: venv-nox ## run them with the oldest dependencies there may be
	$(venvs)/nox/bin/python -m nox -s oldest_dependencies -- $(ARGS)

coverage: venv-test ## run the tests and see what they leave out
	$(venvs)/test/bin/python -m coverage erase
	$(MAKE) test BY='coverage run -m'
	$(MAKE) coverage-report

coverage-report:
	$(venvs)/test/bin/python -m coverage combine -q
	$(venvs)/test/bin/python -m coverage html -q --fail-under=0
	$(venvs)/test/bin/python -m coverage report

lint: venv-dev ## look for mistakes (ruff)
	$(dev) ruff check .

format: venv-dev ## lay the code out (ruff)
	$(dev) ruff format .
	$(dev) ruff check --fix .

typecheck: venv-dev ## check the types (mypy, strict)
	$(dev) mypy
	$(dev) mypy --strict tests/support/typed_program.py

docs: venv-dev ## build the documentation in docs/_build/html
	$(dev) sphinx -W --keep-going -q -b html -d .cache/doctrees docs docs/_build/html
	@echo "docs/_build/html/index.html"

dist: venv-dev venv-test ## build the sdist and the wheel in dist/, and try them
	rm -rf dist
	$(dev) build --outdir dist .
	PYTHON='$(PYTHON)' scripts/try-dist
	@ls -l dist

compatibility: venv-test ## try what works with what, and write the tables of it in docs/
	DXF_COMPATIBILITY=write $(venvs)/test/bin/python -m pytest \
	    tests/test_compatibility.py tests/test_interoperability.py $(ARGS)

audit: venv-dev ## look for known holes in what dxf depends on
	$(dev) pip_audit --strict .

bench: venv-bench venv-plot ## measure dxf beside its peers (ARGS=--list says what)
	$(venvs)/bench/bin/python -m benchmarks $(ARGS)

registries: ## get the registries and clients that the tests talk to (some are built with Go)
	$(PYTHON) scripts/fetch-tool docker-registry
	-$(PYTHON) scripts/fetch-tool skopeo
	$(PYTHON) scripts/get-tools distribution ocimem zot token-server docker_auth crane oras regctl

bench-tools: ## get the peers that bench measures (some are built with Go)
	$(PYTHON) scripts/fetch-tool docker-registry
	-$(PYTHON) scripts/fetch-tool skopeo
	$(PYTHON) scripts/get-tools crane oras regctl python-dxf oras-py azure-containerregistry

clean: ## remove everything that make has made
	rm -rf .cache dist docs/_build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: venv-test venv-dev venv-nox venv-bench venv-plot
venv-test:
	@$(make_venv) $(venvs)/test -e '.[test]'

venv-dev:
	@$(make_venv) $(venvs)/dev -e '.[dev]'

venv-nox:
	@$(make_venv) $(venvs)/nox nox

# Not editable: it is measured as it is installed.
venv-bench:
	@$(make_venv) $(venvs)/bench .

venv-plot:
	@$(make_venv) $(venvs)/plot matplotlib
