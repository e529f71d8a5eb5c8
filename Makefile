# Each target is a line or two; the work is in setup.sh and in `einthoven`.
.PHONY: demo test lint format size bench generated fuzz setup setup-dev clean
RUN = .venv/bin/

demo: setup
	$(RUN)einthoven demo

test: setup-dev
	$(RUN)pytest -n 2 --dist loadgroup

lint: setup-dev
	$(RUN)ruff check . && $(RUN)ruff format --check . && $(RUN)mypy
	clang-format --dry-run --Werror $$(git ls-files '*.c' '*.h' | grep -v firmware/generated/)

format: setup-dev
	$(RUN)ruff check --fix . ; $(RUN)ruff format .
	clang-format -i $$(git ls-files '*.c' '*.h' | grep -v firmware/generated/)

generated: setup
	$(RUN)python -m codegen

size: setup
	$(RUN)einthoven size

bench: setup
	$(RUN)einthoven bench

setup:
	@./setup.sh user

setup-dev:
	@./setup.sh dev

clean:
	rm -rf build firmware/.pio .pytest_cache .mypy_cache .ruff_cache .hypothesis
