"""A device's log over the wire: recorded alone, cut off, fetched, exported, cleared; mishaps."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from einthoven import cli
from einthoven.boards.board import Board, build, load_board, running
from einthoven.fleet import keys
from einthoven.fleet.proof import new_key
from einthoven.hil_tests.harness import device_demo
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.device_demo import Shown

pytestmark = pytest.mark.board


@pytest.fixture(scope="module")
def board() -> Board:
    found = load_board("host_device")
    build(found)
    return found


@pytest.fixture(scope="module")
def shown(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Shown:
    return device_demo.show(board, tmp_path_factory.mktemp("demo"))


@pytest.fixture
def url(board: Board, shown: Shown, tmp_path: Path) -> Iterator[str]:
    """A device whose flash is a copy of the demonstration's."""
    flash = tmp_path / "flash.bin"
    flash.write_bytes((shown.copy.parent / "flash.bin").read_bytes())
    secret = tmp_path / "keys.bin"
    options = ("--log", str(flash), "--keys", str(secret))
    with running(dataclasses.replace(board, command=(*(board.command or ()), *options))) as found:
        yield found


def einthoven(capsys: pytest.CaptureFixture[str], *words: object) -> tuple[int, str, str]:
    """Exit code, what was printed, what was complained of."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["einthoven", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_the_strip_before_the_cut_is_whole_and_the_other_ends_where_the_power_went(
    shown: Shown,
) -> None:
    whole, torn = shown.log.strips
    assert whole.complete and whole.verdict is not None and whole.lost == ()
    given = np.fromfile(shown.copy.parent / "ecg.bin", dtype="<i2")
    windows = np.lib.stride_tricks.sliding_window_view(given, len(whole.samples))
    assert len(whole.samples) == 30 * 180
    assert (windows == whole.samples).all(axis=1).any(), "the samples are the front end's"
    assert not torn.complete and torn.verdict is None and 500 < len(torn.samples) < 5400
    np.testing.assert_array_equal(torn.samples, whole.samples[: len(torn.samples)])
    assert shown.log.given_up == 0
    assert [h.kind for h in shown.log.happenings].count("boot") == 3


def test_the_page_of_it(shown: Shown) -> None:
    page = shown.made[0].read_text(encoding="utf-8")
    assert "Computed again from this ECG, the verdict is the same." in page
    assert "It is not complete: the device was cut off" in page
    assert "Not a medical device." in page
    assert len(list((shown.copy.parent / "edf").glob("*.edf"))) == 2


def test_status_fetch_export_clear(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = einthoven(capsys, "log", "status", "host_device", "--port", url, "--json")
    facts = json.loads(out)
    assert code == 0 and facts["sectors"] == 6 and facts["records"] > 20 and not facts["copy"]
    code, _, said = einthoven(capsys, "log", "fetch", "host_device", "--port", url)
    assert code == 0 and "is complete" in said
    (copy,) = (tmp_path / "logs").glob("*.log")
    code, out, _ = einthoven(capsys, "log", "status", "host_device", "--port", url)
    assert "complete" in out and copy.name in out
    code, out, _ = einthoven(
        capsys, "log", "export", copy, "--format", "page,csv", "--zone", "UTC", "--patient", "P1"
    )
    assert code == 0 and "log.html" in out
    assert (copy.parent / copy.stem / "csv" / "strips.csv").exists()
    assert not (copy.parent / copy.stem / "edf").exists()
    code, out, _ = einthoven(capsys, "log", "clear", "host_device", "--port", url)
    assert code == 0 and str(copy.name) in out
    with Device(url) as device:
        assert device.log_read(0, 0)[2].count(b"\xff") >= 0
        assert device.log_status()["records"] < 5
    assert copy.stat().st_size > 4000, "the copy stays"


def test_a_sealed_export_opens_with_the_operators_key_only(
    shown: Shown, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert einthoven(capsys, "keys", "operator", tmp_path / "own")[0] == 0
    assert einthoven(capsys, "keys", "operator", tmp_path / "other")[0] == 0
    public = tmp_path / "own" / "operator-seal.pub"
    out = tmp_path / "exports" / "p1"
    code, said, _ = einthoven(capsys, "log", "export", shown.copy, "--out", out, "--to", public)
    sealed = tmp_path / "exports" / "p1.zip.sealed"
    assert code == 0 and sealed.name in said
    assert [p.name for p in sealed.parent.iterdir()] == [sealed.name]
    assert b"einthoven" in sealed.read_bytes()[:20] and b"strip_" not in sealed.read_bytes()
    opened = tmp_path / "p1.zip"
    wrong = ("keys", "unseal", sealed, "--out", opened, "--key")
    assert einthoven(capsys, *wrong, tmp_path / "other" / "operator-seal.key")[0] == 2
    assert einthoven(capsys, *wrong, tmp_path / "own" / "operator-seal.key")[0] == 0
    assert opened.read_bytes().startswith(b"PK")
    code, _, said = einthoven(
        capsys, "log", "export", shown.copy, "--to", tmp_path / "own" / "operator-sign.pub"
    )
    assert code == 2 and said.count("\n") == 1


def test_a_device_with_a_key_gives_its_log_to_nobody_else(
    url: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    own, other = new_key(), new_key()
    keys.write_key(tmp_path / "own.key", own)
    keys.write_key(tmp_path / "other.key", other)
    with Device(url) as device:
        device.set_key(own)
    fetch = ("log", "fetch", "host_device", "--port", url)
    for words, told in (
        (fetch, "has a key, and no fleet.toml here"),
        ((*fetch, "--key", "other.key"), "wrong key"),
        ((*fetch, "--key", "none.key"), "no key file"),
        (("log", "clear", "host_device", "--force", "--port", url), "has a key"),
    ):
        code, _, said = einthoven(capsys, *words)
        assert code == 2 and told in said and said.strip().count("\n") == 0
    assert not list(tmp_path.glob("logs/*"))
    assert einthoven(capsys, "log", "status", "host_device", "--port", url)[0] == 0
    assert einthoven(capsys, *fetch, "--key", "own.key")[0] == 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("export", "no_such_board"), "no_such_board"),
        (("export", "x.log"), "is no log"),
        (("export", "none.log"), "there is no file none.log"),
        (("export", "logs/none"), "there is no file logs/none"),
        (("export", "good.log", "--format", "pdf"), "page, wfdb, edf, csv"),
        (("export", "good.log", "--zone", "Mars/Base"), "time zone"),
        (("export", "good.log", "--to", "none.pub"), "none.pub"),
        (("export", "good.log", "--out", "x.log/folder"), "x.log"),
        (("fetch", "host"), "keeps no log"),
    ],
)
def test_bad_input_is_one_line(
    words: tuple[str, ...],
    told: str,
    shown: Shown,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.log").write_bytes(b"not a log" * 100)
    (tmp_path / "good.log").write_bytes(shown.copy.read_bytes())
    if words[1] == "host":
        build(load_board("host"))
    code, _, said = einthoven(capsys, "log", *words)
    assert code == 2
    assert told in said and said.strip().count("\n") == 0
