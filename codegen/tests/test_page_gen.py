"""The page's end of the protocol as it is generated."""

import re

import pytest

from einthoven.codegen import page
from einthoven.native.log_spec import load
from einthoven.paths import ROOT
from einthoven.wire.schema import schema


@pytest.mark.parametrize("path", [page.WIRE, page.TABLES, page.CASES])
def test_committed_files_are_what_the_generator_makes(path: str) -> None:
    assert (ROOT / path).read_text(encoding="utf-8") == page.generate()[path], (
        f"{path}: run `python -m einthoven.codegen`"
    )


def test_every_message_and_record_is_there() -> None:
    files = page.generate()
    codes = {int(c, 16) for c in re.findall(r"code: 0x([0-9a-f]{2})", files[page.WIRE])}
    assert codes == {m.code for m in schema().messages}
    assert all(f"{kind.name}: {{ code: {kind.code}," in files[page.TABLES] for kind in load().kinds)
    assert files[page.CASES].count("rejectedFrames: ") == len(schema().cases) + 1  # and its type
