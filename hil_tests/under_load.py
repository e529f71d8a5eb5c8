"""The tests of this folder, many times, beside programs that want every core all the time.

`python -m einthoven.hil_tests.under_load [--runs 200] [--loops 6] [PYTEST ARGUMENTS]` starts the
busy loops, runs the tests (all of `hil_tests` unless some are named) `--runs` times in one session,
and prints how often each failed. Exit code: 0 if none did. A test may not depend on what else a
machine does; what seldom fails shows here.
"""

import argparse
import multiprocessing
import sys
from collections import Counter
from pathlib import Path

import pytest

_LINK = ("test_app.py", "test_device.py", "test_device_trouble.py", "test_faults.py")
"""What `--links` picks, with heads, patience and networks: the tests that talk to boards."""
_LINK_TOO = ("test_head.py", "test_network.py", "test_patience.py")


class _Repeat:
    """Plugin: every test `runs` times; file by file, so that fixtures are made once."""

    def __init__(self, runs: int) -> None:
        self._runs = runs
        self.passed: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()

    @pytest.fixture
    def again(self, request: pytest.FixtureRequest) -> int:
        """Number of the repetition."""
        return int(request.param)

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        metafunc.fixturenames.append("again")
        metafunc.parametrize("again", range(self._runs), indirect=True)

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        files = list(dict.fromkeys(item.path for item in items))
        items.sort(key=lambda item: (files.index(item.path), item.callspec.params["again"]))  # type: ignore[attr-defined]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed[report.nodeid] += 1
        elif report.when == "call" and report.passed:
            self.passed[report.location[0]] += 1


def _busy() -> None:
    while True:
        pass


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--loops", type=int, default=6)
    parser.add_argument("--links", action="store_true", help="only the tests that talk to boards")
    options, words = parser.parse_known_args()
    here = Path(__file__).parent
    chosen = [str(here / name) for name in _LINK + _LINK_TOO] if options.links else [str(here)]
    repeat = _Repeat(options.runs)
    loops = [multiprocessing.Process(target=_busy, daemon=True) for _ in range(options.loops)]
    for loop in loops:
        loop.start()
    try:
        code = pytest.main(["-q", *(words or chosen)], plugins=[repeat])
    finally:
        for loop in loops:
            loop.kill()
    passed, failed = sum(repeat.passed.values()), sum(repeat.failed.values())
    for name, n in sorted(repeat.failed.items()):
        print(f"{n:5} times failed: {name}")
    print(
        f"{options.runs} runs beside {options.loops} busy loops: {passed} passed, {failed} failed"
    )
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
