# Every target makes and uses .venv; nothing else has to be installed by hand.
PYTHON ?= python3
VENV := .venv
BENTOML := .venv-servers/bench-bentoml
RUN := $(VENV)/bin/python

.PHONY: help demo test test-every-server check bench bench-bentoml bench-detection bench-decoding bench-governor bench-spool bench-labels bench-performance-alarms bench-estimates chaos fuzz fuzz-state clean

help:
	@echo "make demo [FAULT=celsius|nulls|errors|united]  a year of real flights through a watched server"
	@echo "make test                                the whole test suite, with coverage"
	@echo "make test-every-server                   likewise Ray Serve and Gradio, which are large, and more versions"
	@echo "make check                               formatting, lint and types"
	@echo "make bench                               what monitoring costs, and how long the import takes"
	@echo "make bench-bentoml                       what monitoring costs in BentoML: bare and watched, through bentoml serve"
	@echo "make bench-estimates                     performance estimated without labels, beside NannyML and the truth"
	@echo "make bench-governor                      whether all is analysed while a reference is learned and alerts fire"
	@echo "make bench-decoding                      what decoding costs, format by format"
	@echo "make bench-spool                         what it costs to keep on disk what a collector does not take"
	@echo "make bench-labels                        what waiting for labels costs: disk, memory, time to keep and to join"
	@echo "make chaos                               collectors that misbehave, rounds of kill -9, outages of days: the long form"
	@echo "make fuzz [SECONDS=60]                   searches for bodies that decoding does not bear; needs atheris"
	@echo "make fuzz-state [SECONDS=60]             searches for state files that are neither read nor refused"
	@echo "make bench-detection                     how often and how soon alarms come, beside other detectors"
	@echo "make bench-performance-alarms            how often alarms on performance are false, and how many labels they take"

$(VENV)/.demo: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --editable '.[demo]'
	@touch $@

$(VENV)/.dev: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(RUN) -m pip install --quiet --editable '.[dev]'
	@touch $@ $(VENV)/.demo

demo: $(VENV)/.demo
	$(RUN) -m examples.flights.demo --fault $(or $(FAULT),none)

test: $(VENV)/.dev
	$(RUN) -m coverage erase
	# Two at a time, a file to each: half of it is waiting for servers.
	$(RUN) -m coverage run -m pytest -n 2 --dist loadfile
	$(RUN) -m coverage combine --quiet
	$(RUN) -m coverage report

test-every-server: $(VENV)/.dev
	EVERY_SERVER=1 $(RUN) -m pytest tests/e2e/test_ray_serve.py tests/e2e/test_other_servers.py tests/e2e/test_routes.py

check: $(VENV)/.dev
	$(RUN) -m ruff format --check
	$(RUN) -m ruff check
	$(RUN) -m mypy
	$(RUN) -m pyright

bench: $(VENV)/.dev
	$(RUN) -m benchmarks.overhead

$(BENTOML)/.made: pyproject.toml
	$(PYTHON) -m venv $(BENTOML)
	$(BENTOML)/bin/python -m pip install --quiet --editable '.[bentoml]'
	@touch $@

bench-bentoml: $(VENV)/.dev $(BENTOML)/.made
	$(RUN) -m benchmarks.bentoml_cost --python $(BENTOML)/bin/python

bench-decoding: $(VENV)/.dev
	$(RUN) -m benchmarks.decoding

bench-governor: $(VENV)/.dev
	$(RUN) -m benchmarks.governor

bench-spool: $(VENV)/.dev
	$(RUN) -m benchmarks.spool

bench-labels: $(VENV)/.dev
	$(RUN) -m benchmarks.labels

chaos: $(VENV)/.dev
	CHAOS=long $(RUN) -m pytest tests/e2e/chaos

fuzz: $(VENV)/.dev
	$(RUN) -m benchmarks.fuzz_decode --seconds $(or $(SECONDS),60)

fuzz-state: $(VENV)/.dev
	$(RUN) -m benchmarks.fuzz_state --seconds $(or $(SECONDS),60)

bench-detection: $(VENV)/.dev
	$(RUN) -m benchmarks.detection

bench-performance-alarms: $(VENV)/.dev
	$(RUN) -m benchmarks.performance_alarms

bench-estimates: $(VENV)/.dev
	$(RUN) -m benchmarks.estimates

clean:
	rm -rf $(VENV) .venv-servers demo-run bench-run
