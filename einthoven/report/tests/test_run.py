"""The run folder: whole files or none, nothing lost, and no mixing of two runs."""

import multiprocessing
import os
import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

from einthoven.errors import EinthovenError, UsageError
from einthoven.native.events import BEAT, SIGNAL_STATE, Events
from einthoven.report.run import RunDir, whole_file, write_text
from einthoven.report.testing import PLAN, empty_result


def some_events() -> Events:
    rng = np.random.default_rng(7)
    beats = np.zeros(50, dtype=BEAT)
    beats["t_samples"] = np.cumsum(rng.integers(100, 200, 50))
    beats["t_emitted"] = beats["t_samples"] + 170
    beats["label"] = rng.integers(0, 5, 50)
    beats["logits"] = rng.integers(-128, 128, (50, 5))
    beats["flags"] = rng.integers(0, 256, 50)
    beats["rr_prev"] = rng.integers(0, 2**20, 50)
    beats["rr_next"] = rng.integers(0, 2**20, 50)
    beats["tensor_crc"] = rng.integers(0, 2**32, 50)
    beats["count"] = rng.integers(0, 2**32, 50)
    states = np.array([(0, 32), (540, 0)], dtype=SIGNAL_STATE)
    return Events(beats, states)


def test_events_come_back_as_they_went(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    events = some_events()
    run.write_events("p1/101", events, events.beats["t_samples"].astype(np.int64) * 2)
    back = RunDir.open(tmp_path / "run").read_events("p1/101")
    assert np.array_equal(back.beats, events.beats)
    assert np.array_equal(back.states, events.states)


def test_a_path_that_is_no_unicode_comes_back(tmp_path: Path) -> None:
    options = replace(PLAN.options, data=os.fsdecode(b"/d\xe4ta"))
    RunDir.create(tmp_path / "run", replace(PLAN, options=options))
    assert os.fsencode(RunDir.open(tmp_path / "run").plan.options.data) == b"/d\xe4ta"


def test_all_events_are_one_table(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    events = some_events()
    for name in run.records:
        run.write_events(name, events, events.beats["t_samples"].astype(np.int64))
    run.write_all_events(run.records)
    lines = (tmp_path / "run" / "events.csv").read_text().splitlines()
    assert len(lines) == 1 + 2 * 52
    assert lines[0].startswith("record,kind,t_samples")
    assert sum(line.startswith("record,") for line in lines) == 1


def test_a_record_is_finished_when_its_result_is_there(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    run.write_events("100", some_events(), np.zeros(50, np.int64))
    assert run.finished() == []
    run.write_result("100", empty_result("100"))
    assert run.finished() == ["100"]


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    RunDir.create(tmp_path / "run", PLAN)
    with pytest.raises(UsageError, match="add --resume"):
        RunDir.create(tmp_path / "run", PLAN)


def test_a_folder_with_other_things_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        RunDir.create(tmp_path, PLAN)


@pytest.mark.parametrize(
    "content", [None, "", "{", "[]", '{"schema": "other/1"}', '{"schema": "einthoven-run/2"}']
)
def test_what_is_no_run_is_refused_in_one_line(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(UsageError) as caught:
        RunDir.open(tmp_path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "word"),
    [
        ("board", "qemu_stm32f405", "board was host and is qemu_stm32f405"),
        ("pipeline_sha256", "ab" * 32, "the pipeline was aaaaaaaaaaaa… and is abababababab…"),
        ("model", replace(PLAN.model, sha256="ab" * 32), "the model differs in sha256"),
        (
            "data",
            replace(PLAN.data, files={"100": {"100.dat": "ab" * 32}}),
            "the records differs in files",
        ),
        ("data", replace(PLAN.data, records=["100"]), "the records differs in records"),
    ],
)
def test_resuming_with_something_else_names_it(
    tmp_path: Path, key: str, value: Any, word: str
) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    run.require_same(PLAN)
    with pytest.raises(UsageError, match="cannot resume") as caught:
        run.require_same(replace(PLAN, **{key: value}))
    assert word in str(caught.value)


def test_two_replays_do_not_share_a_folder(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    with run.lock(), pytest.raises(UsageError, match="another replay"), run.lock():
        pass
    with run.lock():  # free again
        pass


def test_a_file_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "summary.json"
    write_text(target, "old")
    with pytest.raises(RuntimeError), whole_file(target) as scratch:
        scratch.write_text("half")
        raise RuntimeError
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["summary.json"]


def _write_with_a_small_disk(path: Path, result: Any) -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        write_text(path, "x" * 10_000)
        result.put("written")
    except EinthovenError as error:
        result.put(str(error))


def test_a_full_disk_keeps_what_was_there_and_says_so(tmp_path: Path) -> None:
    """The kernel's file size limit stands in for a full disk: write(2) fails in both cases."""
    target = tmp_path / "events.csv"
    write_text(target, "old")
    # Not "fork": this process may have threads by now, of whoever was tested before.
    context = multiprocessing.get_context("spawn")
    result = context.Queue()
    child = context.Process(target=_write_with_a_small_disk, args=(target, result))
    child.start()
    message = result.get(timeout=600)
    child.join()
    assert message.startswith("disk full while writing") and "\n" not in message
    assert target.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["events.csv"]


def test_damaged_records_are_refused_in_one_line(tmp_path: Path) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    (tmp_path / "run" / "records").mkdir()
    (tmp_path / "run" / "records" / "100.csv").write_text("record,kind\n100,beat\n")
    (tmp_path / "run" / "records" / "100.json").write_text("{")
    with pytest.raises(UsageError, match=r"100\.csv is missing or damaged"):
        run.read_events("100")
    with pytest.raises(UsageError, match=r"100\.json is missing or damaged"):
        run.read_result("100")


@pytest.mark.parametrize("table", ["", "ÿ", "a,b\n1,2\n"])
def test_a_table_without_its_columns_is_no_empty_one(tmp_path: Path, table: str) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    write_text(tmp_path / "run" / "records" / "100.csv", table)
    with pytest.raises(UsageError, match=r"100\.csv is missing or damaged: remove .*100\.json"):
        run.read_events("100")


@pytest.mark.parametrize("result", ["{}", "[1]", '{"record": "101"}'])
def test_a_result_of_something_else_is_damaged(tmp_path: Path, result: str) -> None:
    run = RunDir.create(tmp_path / "run", PLAN)
    write_text(tmp_path / "run" / "records" / "100.json", result)
    with pytest.raises(UsageError, match=r"100\.json is missing or damaged"):
        run.read_result("100")
