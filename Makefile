# `make demo` and `make test` work on a fresh machine with Python 3.11 or newer.
PYTHON ?= python3
VENV ?= .venv
RUN := $(VENV)/bin/python

.PHONY: demo test clean

demo: $(VENV)/.ready
	rm -rf demo
	$(RUN) predict.py model test_data/SIM0008
	$(RUN) train_model.py test_data demo/model --config configs/demo.toml
	$(RUN) driver.py demo/model test_data demo/outputs
	$(RUN) evaluate_model.py test_data demo/outputs demo/scores.csv demo/class_scores.csv
	@cat demo/scores.csv; echo
	$(RUN) explain.py model test_data/SIM0013 --classes PAC --out demo/explained.png --html demo/explained.html

test: $(VENV)/.ready
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(RUN) -m pytest -q

$(VENV)/.ready: requirements.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet --editable ".[test]"
	touch $@

clean:
	rm -rf $(VENV) demo
