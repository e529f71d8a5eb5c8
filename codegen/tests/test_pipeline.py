"""The generator of ein_pipeline.h."""

import copy
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from einthoven.codegen import pipeline
from einthoven.errors import UsageError
from einthoven.paths import GENERATED


def macros(text: str) -> dict[str, str]:
    return dict(re.findall(r"^#define (\w+) ([^\\\n]+)$", text, flags=re.MULTILINE))


def generated(spec: dict[str, Any]) -> dict[str, str]:
    return macros(pipeline.generate(spec)["ein_pipeline.h"])


@pytest.fixture
def spec() -> dict[str, Any]:
    return copy.deepcopy(pipeline.load())


def test_the_committed_header_is_the_generated_one() -> None:
    assert (GENERATED / "ein_pipeline.h").read_text() == pipeline.generate()["ein_pipeline.h"]


def test_hash_is_of_the_canonical_json() -> None:
    digest = hashlib.sha256(b'{"a":{"x":1,"y":[2,3]},"b":{}}').hexdigest()
    assert pipeline.sha256({"b": {}, "a": {"y": [2, 3], "x": 1}}) == digest


def test_hash_is_in_the_header_in_three_forms(spec: dict[str, Any]) -> None:
    digest = pipeline.sha256(spec)
    text = pipeline.generate(spec)["ein_pipeline.h"]
    assert macros(text)["EIN_PIPELINE_SHA256"] == f'"{digest}"'
    assert macros(text)["EIN_PIPELINE_HASH32"] == f"0x{digest[:8]}u"
    rows = re.findall(r"^        (0x[0-9a-f]{2}, .*), \\$", text, flags=re.MULTILINE)
    assert bytes(int(b, 16) for row in rows for b in row.split(", ")).hex() == digest


def test_every_integer_becomes_a_macro(spec: dict[str, Any]) -> None:
    found = generated(spec)
    for section, table in spec.items():
        for key, value in table.items():
            if section != "filters" and isinstance(value, int):
                literal = found[f"EIN_{section}_{key}".upper()]
                assert int(literal.strip("()")) == value


def test_lists_names_and_what_follows_from_them(spec: dict[str, Any]) -> None:
    spec["made_up"] = {"table": [3, -1]}
    spec["classes"]["names"] = ["N", "V"]
    found = generated(spec)
    assert found["EIN_MADE_UP_TABLE"] == "{3, (-1)}"
    assert found["EIN_MADE_UP_TABLE_COUNT"] == "2"
    assert (found["EIN_CLASSES"], found["EIN_CLASS_N"], found["EIN_CLASS_V"]) == ("2", "0", "1")
    window = spec["window"]
    assert int(found["EIN_WINDOW_SAMPLES"]) == window["before_samples"] + window["after_samples"]


@pytest.mark.parametrize("value", [0.5, True, "much", 2**31, [1, 2.5]])
def test_what_the_core_cannot_compute_with_is_refused(spec: dict[str, Any], value: object) -> None:
    spec["qrs"]["floor"] = value
    with pytest.raises(UsageError, match=r"qrs\.floor = .* is no 32-bit integer"):
        pipeline.generate(spec)


def test_an_unreadable_file_is_one_clear_line(tmp_path: Path) -> None:
    broken = tmp_path / "pipeline.toml"
    broken.write_text("[qrs")
    with pytest.raises(UsageError, match=r"cannot read pipeline\.toml"):
        pipeline.load(broken)
