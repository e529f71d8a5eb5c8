# Each target is a line or two; the work is in setup.sh and in `einthoven`.
.PHONY: demo day test patience cases lint types page-lint floors style format size boards bench work generated same cuts fuzz page shots fleet setup setup-dev clean
RUN = .venv/bin/

demo: setup
	$(RUN)einthoven demo

# Three on two cores: a sixth of their time tests wait, for a page, a port, each other's builds.
test: setup-dev
	$(RUN)pytest -n 3 --dist loadfile --no-loadscope-reorder

patience: setup-dev
	$(RUN)python -m einthoven.hil_tests.under_load --runs 200 --loops 6

# Each apart, so that `make -j` has something to do.
lint: types page-lint floors style
types: setup-dev
	$(RUN)mypy
page-lint: setup-dev
	npm --prefix web run --silent lint
floors: setup-dev
	$(RUN)lint-imports && $(RUN)python -m einthoven.house.floors
style: setup-dev
	$(RUN)ruff check . && $(RUN)ruff format --check .
	clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h' | grep -v firmware/generated)

format: setup-dev
	$(RUN)ruff check --fix . ; $(RUN)ruff format .
	clang-format -i $$(git ls-files '*.c' '*.h' | grep -v firmware/generated)

generated: setup
	$(RUN)python -m einthoven.codegen

same: setup-dev
	$(RUN)python -m einthoven.codegen --check

size: setup-dev
	$(RUN)einthoven size

# On the host, or with BOARD=qemu_stm32f405_device on the emulated chip.
cuts: setup
	$(RUN)python -m einthoven.$(if $(BOARD),hil_tests.harness.cuts --board $(BOARD),native.log_cuts) $(CUTS)

boards: setup-dev
	$(RUN)python -m einthoven.hil_tests.board_table

cases: setup
	$(RUN)python -m einthoven.hil_tests.cases $(CASES)

bench:
	@./setup.sh bench
	$(RUN)python -m einthoven.codegen.testing.bench
	$(RUN)python -m einthoven.codegen.testing.core_bench

BASE = f43430e
RECORDS = all
work: setup-dev
	$(RUN)python -m einthoven.codegen.testing.work_bench $(BASE) --records $(RECORDS) $(WORK)

ROOMS = app core engine generated rhythm wire
FUZZ = clang -std=c99 -g -O1 -fsanitize=fuzzer,address,undefined $(addprefix -Ifirmware/,$(ROOMS))
WIRE = $(wildcard firmware/wire/ein_*.c) firmware/generated/ein_wire_gen.c
# As a process, or with BOARD=qemu_stm32f405_device on the emulated chip, by the driver and the model of a part.
HOURS = 24
PART = ad8232
day: setup
	$(RUN)python -m einthoven.hil_tests.harness.day --hours $(HOURS) $(if $(BOARD),--board $(BOARD) --front-end $(PART))

KEYS = library=$$($(RUN)python -m einthoven.third_party) && $(FUZZ) -w -DBLAKE2_NO_UNROLLING -Ifirmware/keys -I$$library $(wildcard firmware/keys/ein_*.c) \
	firmware/wire/ein_crc32.c $$library/monocypher.c firmware/keys/fuzz_keys.c -o build/fuzz_keys
fleet: setup
	rm -rf build/fleet && $(RUN)python -m einthoven.hil_tests.simulated.fleet --out build/fleet

fuzz: setup-dev
	mkdir -p build/corpus_wire build/corpus_app build/corpus_log build/corpus_keys
	$(FUZZ) -Ifirmware/log $(wildcard firmware/log/ein_*.c) firmware/wire/ein_crc32.c firmware/log/fuzz_log.c -o build/fuzz_log && build/fuzz_log -max_total_time=300 -max_len=6145 build/corpus_log
	$(FUZZ) $(WIRE) firmware/wire/fuzz_wire.c -o build/fuzz_wire && build/fuzz_wire -max_total_time=300 build/corpus_wire
	$(KEYS) && build/fuzz_keys -max_total_time=300 -max_len=2000 build/corpus_keys
	$(FUZZ) $(foreach room,$(ROOMS),$(wildcard firmware/$(room)/ein_*.c)) firmware/app/fuzz_app.c -o build/fuzz_app && build/fuzz_app -max_total_time=300 build/corpus_app

# The page that speaks to a board, into einthoven/page/; `shots`: pictures of all its states, and of all that Python makes.
page: setup-dev
	npm --prefix web run --silent build
shots: setup-dev
	$(RUN)python -m einthoven.hil_tests.page_shots build/shots
	$(RUN)python -m einthoven.hil_tests.documents build/documents

setup:
	@./setup.sh user

setup-dev:
	@./setup.sh dev

clean:
	rm -rf build .cache firmware/.pio .pytest_cache .mypy_cache .ruff_cache .hypothesis
