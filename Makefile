# Two commands: `make chat` and `make test`. `make setup` only sets up; `make lock` renews the lock files.
PYTHON ?= python3
PORT ?= 7860
BIN := .venv/bin
UV := $(BIN)/python -m uv
ENV_FILE := $(wildcard .env)
unexport PYTHONDONTWRITEBYTECODE

.PHONY: chat test setup coverage lint lock clean

# PAPERS=path (several in quotes) makes a library of those files instead of the bundled sample.
chat: .venv/ready
	@$(BIN)/vouch serve --port $(PORT) $(if $(PAPERS),--papers $(PAPERS),--sample) $(if $(ENV_FILE),--env-file $(ENV_FILE))

test: .venv/ready-for-tests
	@$(MAKE) --no-print-directory lint
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "not browser and not slow"
	$(BIN)/python -m pytest --numprocesses auto --dist worksteal -m "slow and not browser"
	$(BIN)/python -m pytest -m browser

setup: .venv/ready

coverage: .venv/ready-for-tests
	@rm -f .coverage*
	$(BIN)/coverage run -m pytest --numprocesses auto --dist worksteal -m "not browser and not slow"
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report --skip-covered --sort=cover

lint: .venv/ready-for-tests
	$(BIN)/ruff check .
	$(BIN)/mypy

.venv/bin/uv: uv.lock.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Vouch needs Python 3.11 or newer; $(PYTHON) is older. Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x .venv/bin/python || $(PYTHON) -m venv .venv || \
		{ echo "$(PYTHON) cannot make a virtual environment: install its venv package (Debian: python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r uv.lock.txt
	@touch $@

.venv/ready: requirements.lock pyproject.toml .venv/bin/uv
	@test -e .venv/ready-for-tests || $(UV) pip install --quiet --python $(BIN)/python --no-deps --require-hashes --compile-bytecode -r requirements.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/ready-for-tests: requirements-dev.lock pyproject.toml .venv/bin/uv
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --require-hashes --compile-bytecode -r requirements-dev.lock
	@$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

# Pinned and hashed, without the addresses they come from.
LOCK := pip compile --quiet --no-header --no-annotate --generate-hashes --universal --python-version 3.11
lock: .venv/bin/uv
	$(UV) $(LOCK) pyproject.toml --group setup --output-file requirements.lock
	$(UV) $(LOCK) pyproject.toml --group setup --group dev --constraint requirements.lock --output-file requirements-dev.lock
	echo uv | $(UV) $(LOCK) - --output-file uv.lock.txt

clean:
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage
