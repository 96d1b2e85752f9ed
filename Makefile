# The commands of the project. Each installs what it needs; the last line of a recipe is exec, so that signals reach the program.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run demo test lint bench

help:
	@echo "make run     start the portal on this machine"
	@echo "make demo    start a second portal with a simulated fleet"
	@echo "make test    everything that must pass"
	@echo "make lint    style, types, layers, settings, migrations"
	@echo "make bench   measure, or only PARTS=\"polling pages\"; see docs/develop/performance.md"

run:
	@requirements/prepare.sh run
	@exec .venv/bin/python manage.py up

demo: export DJANGO_SETTINGS_MODULE := esm.settings.demo
demo:
	@requirements/prepare.sh run
	@exec .venv/bin/python manage.py up

# Else each of the many processes of a test run would compile the whole project once more.
test: export PYTHONDONTWRITEBYTECODE :=
test:
	@requirements/prepare.sh test
	@.venv/bin/python -m pytest -n 3 $(PYTEST_ARGS)
	@exec .venv/bin/python -m tests.postgresql -n 3 $(PYTEST_ARGS)

lint: export DJANGO_SETTINGS_MODULE := esm.settings.test
lint:
	@requirements/prepare.sh test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/djlint --quiet --lint templates
	.venv/bin/mypy
	.venv/bin/lint-imports
	folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && \
	DJANGO_SETTINGS_MODULE=esm.settings.prod ESM_DATA_DIR="$$folder" .venv/bin/python manage.py check --deploy --fail-level ERROR
	@exec .venv/bin/python manage.py makemigrations --check --dry-run

bench:
	@requirements/prepare.sh bench
	@exec .venv/bin/python -m tests.bench $(PARTS)
