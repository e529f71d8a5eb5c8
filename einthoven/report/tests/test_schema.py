"""The description of a run: as published, strict on what is damaged, and true to older runs.

`runs_of_0_1`: run folders as version 0.1.0 wrote them, of synthetic records, with paths shortened
and the strips' samples cut to twelve.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from jsonschema import Draft202012Validator

from einthoven.errors import EinthovenError, UsageError
from einthoven.paths import ROOT
from einthoven.report import schema
from einthoven.report.description import Plan, Result
from einthoven.report.files import write_report
from einthoven.report.overview import Summary
from einthoven.report.run import RunDir, write_json
from einthoven.report.testing import PLAN, empty_result

OLD = Path(__file__).parent / "runs_of_0_1"
NAMES = ("plain", "adapted")


def files(run: Path) -> list[tuple[str, Path]]:
    """(name of the schema, file) of all JSON files of a run that have one."""
    records = [p for p in (run / "records").rglob("*.json") if not p.name.endswith(".head.json")]
    return [
        ("run", run / "run.json"),
        ("summary", run / "summary.json"),
        *(("record", path) for path in sorted(records)),
    ]


def copy(name: str, to: Path) -> Path:
    return Path(shutil.copytree(OLD / name, to / name))


def test_what_is_published_is_what_the_types_say() -> None:
    published = {p.name: p.read_text(encoding="utf-8") for p in (ROOT / "docs/schema").iterdir()}
    assert published == {
        f"{name}.schema.json": schema.json_schema(name) for name in schema.PUBLISHED
    }, "python -m einthoven.report.schema"


@pytest.mark.parametrize("name", NAMES)
def test_an_older_run_is_as_published_and_is_read_to_the_last_key(name: str) -> None:
    for kind, path in files(OLD / name):
        content = json.loads(path.read_text(encoding="utf-8"))
        Draft202012Validator(json.loads(schema.json_schema(kind))).validate(content)
        read = schema.of_json(path.read_text(encoding="utf-8"), schema.PUBLISHED[kind])
        assert json.loads(json.dumps(schema.to_builtins(read))) == content


@pytest.mark.parametrize("name", NAMES)
def test_an_older_run_gives_the_same_summary_to_the_byte(name: str, tmp_path: Path) -> None:
    path = copy(name, tmp_path)
    before = (path / "summary.json").read_bytes()
    (path / "summary.json").unlink()
    write_report(RunDir.open(path))
    assert (path / "summary.json").read_bytes() == before


@pytest.mark.parametrize("kind", [Plan, Result, Summary])
def test_types_and_published_schema_refuse_the_same(kind: type[Any]) -> None:
    """Whatever is left out, or of another type, neither takes it."""
    (name,) = [n for n, published in schema.PUBLISHED.items() if published is kind]
    validator = Draft202012Validator(json.loads(schema.json_schema(name)))
    path = next(p for k, p in files(OLD / "plain") if k == name)
    content = json.loads(path.read_text(encoding="utf-8"))
    optional = {f.name for f in msgspec.structs.fields(kind) if not f.required}
    for key in content:
        less = {k: v for k, v in content.items() if k != key}
        other = {**content, key: object.__name__ if not isinstance(content[key], str) else 1}
        for bad in [other] if key in optional else [other, less]:
            assert not validator.is_valid(bad), key
            with pytest.raises(ValueError, match=r"^[^\n]+$"):
                schema.of_builtins(bad, kind)


def test_keys_of_later_versions_are_ignored(tmp_path: Path) -> None:
    path = copy("plain", tmp_path)
    for _, file in files(path):
        content = json.loads(file.read_text())
        parts = ("model", "data", "options", "link", "agreement", "counters")
        for part in [content, *(content[name] for name in parts if name in content)]:
            part["of_a_later_version"] = {"x": [1]}
        write_json(file, content)
    write_report(RunDir.open(path))
    assert (path / "summary.json").read_bytes() == (OLD / "plain" / "summary.json").read_bytes()


def changed(change: Callable[[Any], Any]) -> Callable[[str], str]:
    def edit(text: str) -> str:
        content = json.loads(text)
        change(content)
        return json.dumps(content)

    return edit


RECORD_DAMAGE: dict[str, tuple[Callable[[str], str], str]] = {
    "cut": (lambda text: text[: len(text) // 2], "line"),
    "a list": (lambda text: "[]", "Expected `object`, got `array`"),
    "deep": (lambda text: "[" * 100_000, "deep"),
    "no beats": (changed(lambda c: c.pop("beats")), "missing required field `beats`"),
    "a word for a number": (
        changed(lambda c: c["link"].update(retries="many")),
        r"Expected `int`, got `str` - at `$.link.retries`",
    ),
    "less than none": (changed(lambda c: c.update(beats=-1)), "at `$.beats`"),
    "NaN": (changed(lambda c: c.update(seconds=float("nan"))), "NaN is no number"),
    "a table with a row less": (
        changed(lambda c: c["protocols"]["whole"]["counts"].pop()),
        "at `$.protocols.whole.counts`",
    ),
    "a confidence beyond 1": (
        changed(lambda c: c["confidence"]["rows"].append([256, 0, 0, 1])),
        "at `$.confidence.rows[",
    ),
    "another record's": (changed(lambda c: c.update(record="s9")), "it is of record s9"),
}


@pytest.mark.parametrize("damage", RECORD_DAMAGE)
def test_a_damaged_record_is_one_line_that_says_where(damage: str, tmp_path: Path) -> None:
    edit, word = RECORD_DAMAGE[damage]
    path = copy("plain", tmp_path)
    file = path / "records" / "s0.json"
    file.write_text(edit(file.read_text()))
    with pytest.raises(UsageError, match=r"s0\.json is missing or damaged: remove") as caught:
        write_report(RunDir.open(path))
    assert word in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda c: c["data"].pop("files"), "damaged (Object missing required field `files`"),
        (lambda c: c.update(rate_hz=0), "damaged (Expected `int` >= 1 - at `$.rate_hz`)"),
        (lambda c: c.update(schema="einthoven-run/3"), "update Einthoven"),
        (lambda c: c.update(schema="einthoven-run/1"), "replay it again"),
        (lambda c: c.update(schema=2), "not of schema einthoven-run/2"),
    ],
)
def test_a_damaged_plan_is_one_line(change: Any, word: str, tmp_path: Path) -> None:
    path = copy("plain", tmp_path)
    content = json.loads((path / "run.json").read_text())
    change(content)
    write_json(path / "run.json", content)
    with pytest.raises(UsageError) as caught:
        RunDir.open(path)
    assert word in str(caught.value) and "\n" not in str(caught.value)


def test_what_could_not_be_read_is_not_written(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    result = msgspec.structs.replace(empty_result("100"), beats=-1)
    with pytest.raises(EinthovenError, match=r"at `\$.beats`"):
        run.write_result("100", result)
    assert run.finished() == []
