# Trapjaw. `make` alone lists what there is to do.

VENV    := .venv
BIN     := $(VENV)/bin
PY      := $(BIN)/python
JOBS    ?= 2
ENOUGH  := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON  ?= $(shell for python in python3.11 python3.12 python3.13 python3.14 python3 python; do \
             $$python -c '$(ENOUGH)' 2>/dev/null && { echo $$python; break; }; done)

# $(call need,tool,what for,Debian package): one line and no more where a tool is missing.
need = $(if $(shell command -v $(1) 2>/dev/null),,$(error $(1) is missing: `make $(or $(MAKECMDGOALS),help)` $(2) (Debian, Ubuntu: apt install $(3))))

say = @echo "==> $(1)"

.DEFAULT_GOAL := help
.NOTPARALLEL:
.PHONY: help run test sim formal bitstream bench verify lint docs clean need-python need-compiler

help: ## List the targets
	@printf 'Trapjaw: an open, FPGA-first trading system.\n\n'
	@sed -nE 's/^([a-z]+):[^#]*## (.*)$$/  make \1|\2/p' Makefile | while IFS='|' read -r name text; do printf '%-18s %s\n' "$$name" "$$text"; done
	@printf '\nSettings: JOBS=%s (tests at once), PYTHON=%s\n' '$(JOBS)' '$(PYTHON)'

run: need-compiler $(VENV)/hdl ## Trade on a simulated card; on real data: DATA=file.itch50.gz SYMBOLS=AMZN
	$(call say,building the simulated card and trading $(if $(DATA),on $(DATA),at two simulated exchanges))
	@$(BIN)/trapjaw run $(if $(DATA),"$(DATA)",--live) $(if $(SYMBOLS),--symbols "$(SYMBOLS)") $(if $(SEED),--seed "$(SEED)")

test: need-compiler $(VENV)/dev ## Run the tests (minutes; proofs and long tests apart)
	$(call say,tests$(comma) $(JOBS) at once)
	@$(BIN)/pytest -n $(JOBS) --dist worksteal -m "not formal and not slow" $(TESTS)

sim: need-compiler $(VENV)/dev ## Run the cocotb benches: BENCH=book SEED=7 WAVES=1 (an FST file is left in build/)
	$(call say,simulation of $(or $(BENCH),all benches))
	@$(PY) -m sim.bench.run $(if $(BENCH),--bench "$(BENCH)") $(if $(SEED),--seed "$(SEED)") $(if $(filter-out 0,$(WAVES)),--waves)

formal: $(VENV)/dev ## Prove what is promised (yosys, smtbmc)
	$(call say,proofs)
	@$(BIN)/pytest -n $(JOBS) -m formal $(TESTS)

bitstream: $(VENV)/hdl ## Place and route the ECP5 card: build/bitstreams/*.bit and bitstreams/manifest.json
	$(call say,bitstream of the ECP5 card)
	@$(PY) -m bitstreams.build

bench: need-compiler $(VENV)/dev ## Measure cycles, simulation speed, area and Fmax: build/bench.json (QUICK=1: one seed, blocks only)
	$(call say,measuring into build/bench.json)
	@$(PY) -m sim.perf.bench $(if $(filter-out 0,$(QUICK)),--quick)

verify: need-compiler $(VENV)/dev ## Everything: lint, all tests, benches, proofs (long)
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory sim
	$(call say,all tests and proofs)
	@$(BIN)/pytest -n $(JOBS) --dist worksteal $(TESTS)

lint: $(VENV)/dev ## ruff, mypy --strict, and that generated files are fresh
	$(call say,ruff)
	@$(BIN)/ruff check .
	$(call say,mypy --strict on host$(comma) sim/golden and sim/venue)
	@$(BIN)/mypy
	$(call say,generated files)
	@for module in $(GENERATORS); do $(PY) -m $$module --check || exit 1; done

docs: $(VENV)/hdl ## Generate what is generated in docs/ and host/
	$(call say,generating)
	@for module in $(GENERATORS); do $(PY) -m $$module || exit 1; done

clean: ## Remove everything that was built, the virtual environment too
	rm -rf build $(VENV) *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Modules that write files into the repository; with --check they only compare.
GENERATORS := hw.host_interface.generate sim.docs

comma := ,

need-python:
	$(if $(PYTHON),,$(error python3.11 or newer, with its venv module, is missing: `make $(MAKECMDGOALS)` runs on it (Debian, Ubuntu: apt install python3 python3-venv)))
	@:

need-compiler:
	$(call need,g++,compiles the simulated card with it,g++)
	$(call need,make,drives that compilation with it,make)
	$(call need,perl,runs Verilator$(comma) whose driver is a Perl program,perl)
	@:

# Stamps: the environment holds what requirements/<name>.txt says.
$(VENV)/hdl $(VENV)/dev: $(VENV)/%: requirements/%.txt requirements/host.txt requirements/hdl.txt pyproject.toml | need-python
	$(call say,virtual environment $(VENV): requirements/$*.txt)
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check -r requirements/$*.txt
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(if $(filter dev,$*),$(VENV)/hdl)
