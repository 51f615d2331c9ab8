# `make demo` and `make test` work on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python

.PHONY: demo test check docs wheel clean

demo: $(VENV)/.ready
	rm -rf demo
	$(RUN) predict.py model test_data/SIM0008
	$(RUN) train_model.py test_data demo/model --config configs/demo.toml
	$(RUN) driver.py demo/model test_data demo/outputs
	$(RUN) evaluate_model.py test_data demo/outputs demo/scores.csv demo/class_scores.csv
	@cat demo/scores.csv; echo
	$(RUN) explain.py model test_data/SIM0013 --classes PAC --out demo/explained.png --html demo/explained.html

# A process for each core, at most four.
# `make test PYTEST="--cov --cov-report=term:skip-covered"` counts the lines of the package that the tests run, too.
test: check
	$(RUN) -m pytest -q -n auto --maxprocesses 4 --dist worksteal $(PYTEST)

# Style, types, spelling, and that imports go one way.
check: $(VENV)/.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/mypy
	$(VENV)/bin/codespell

# The web site of docs/, in build/docs.
docs: $(VENV)/.ready
	$(RUN) -m mkdocs build

# Build the wheel, install it into an environment of its own and use it from another folder.
wheel: $(VENV)/.ready
	rm -rf build/wheel
	$(RUN) -m build --outdir build/wheel .
	$(PYTHON) -m venv build/wheel/venv
	build/wheel/venv/bin/python -m pip install --quiet build/wheel/*.whl
	cp test_data/SIM0008.hea test_data/SIM0008.mat build/wheel/
	cd build/wheel && venv/bin/cnn-gap predict SIM0008
	cd build/wheel && venv/bin/python -c "import cnn_gap; print({name: getattr(cnn_gap, name) for name in dir(cnn_gap)})"

$(VENV)/.ready: requirements.txt pyproject.toml setup.py
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --editable ".[test]"
	touch $@

clean:
	rm -rf $(VENV) demo build dist
