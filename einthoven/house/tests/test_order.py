"""The files that the suite begins with are there: one that was renamed would come last again."""

import re

from einthoven.paths import ROOT


def test_the_longest_files_are_there() -> None:
    names = re.findall(r'"(\S+/test_\w+\.py)"', (ROOT / "conftest.py").read_text())
    assert len(names) == len(set(names)) > 5
    assert [name for name in names if not (ROOT / name).is_file()] == []
