"""The command line: bad input gives one line that says what to do and exit code 2, never more.

What needs a board is in hil_tests/test_replay_trouble.py.
"""

import html
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import einthoven.cli
from einthoven.device.spec import load
from einthoven.records.synth import make_record

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run the command line in this process: (exit code, stdout, stderr)."""

    def einthoven_(*words: str | Path) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["einthoven", *map(str, words)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            einthoven.cli.main()
        out, err = capfd.readouterr()
        code = left.value.code
        return (code if isinstance(code, int) else 1), out, err

    return einthoven_


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("database")
    make_record(1, 20.0).write(folder, "a")
    make_record(2, 20.0).write(folder, "b")
    return folder


def complain(outcome: tuple[int, str, str], *words: str) -> None:
    """Exit code 2, and one line on stderr that has the words."""
    code, _, err = outcome
    assert code == 2, err
    lines = err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("error: "), err
    for word in words:
        assert word in lines[0]


def edit_header(folder: Path, old: str, new: str) -> None:
    path = folder / "a.hea"
    text = path.read_text()
    assert old in text, text
    path.write_text(text.replace(old, new, 1))


def damaged(database: Path, folder: Path, how: str) -> None:
    """A copy of record a with one thing wrong."""
    for path in database.glob("a.*"):
        (folder / path.name).write_bytes(path.read_bytes())
    signal = folder / "a.dat"
    if how == "missing signal":
        signal.unlink()
    elif how == "truncated":
        signal.write_bytes(signal.read_bytes()[:-100])
    elif how == "checksum":
        content = bytearray(signal.read_bytes())
        content[1000] ^= 1
        signal.write_bytes(bytes(content))
    elif how == "rate 0":
        edit_header(folder, " 360 ", " 0 ")
    elif how == "gain":
        edit_header(folder, " 200.0(0)/mV ", " 1e400(0)/mV ")
    elif how == "unit":
        edit_header(folder, " 200.0(0)/mV ", " 200.0(0)/mmHg ")
    elif how == "annotations":
        (folder / "a.atr").write_bytes(bytes(range(1, 100)) + b"\0\0")
    elif how == "header":
        (folder / "a.hea").write_text("not a header at all\n")


DAMAGES = {
    "missing signal": ("a.dat is missing", "fetch"),
    "truncated": ("truncated", "fetch"),
    "checksum": ("checksum", "fetch"),
    "rate 0": ("rate is 0", "correct the header"),
    "gain": ("gain", "correct the header"),
    "unit": ("mmHg", "--units"),
    "annotations": ("a.atr", "not a WFDB annotation file"),
    "header": ("a.hea",),
}


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_record(how: str, run: Run, database: Path, tmp_path: Path) -> None:
    damaged(database, tmp_path, how)
    out = tmp_path / "out"
    options = ("replay", "--board", "host", "--records", "a", "--data", tmp_path, "--out", out)
    complain(run(*options), *DAMAGES[how])
    assert not out.exists()


def test_what_is_not_there(run: Run, database: Path, tmp_path: Path) -> None:
    def replay(**changed: str | Path) -> tuple[int, str, str]:
        options = {"board": "host", "records": "a", "data": database, "out": tmp_path / "o"}
        words = [w for key, value in (options | changed).items() for w in (f"--{key}", value)]
        return run("replay", *words)

    complain(replay(records="a,zz"), "record zz is not in", "a to b")
    complain(replay(records=","), "no record named", "ds1")
    complain(replay(data=tmp_path / "nowhere"), "nowhere", "is not a folder")
    (tmp_path / "empty").mkdir()
    complain(replay(data=tmp_path / "empty"), "no WFDB records")
    complain(replay(lead="V9"), "no lead V9", "MLII")
    complain(replay(board="arduino"), "no board 'arduino'", "qemu_stm32f405")
    assert not (tmp_path / "o").exists()


def test_replay_asks_for_what_it_needs(run: Run, tmp_path: Path) -> None:
    complain(run("replay"), "--board", "--records")
    complain(run("replay", "--resume"), "--out")
    complain(run("replay", "--resume", "--out", tmp_path), "holds no run")
    complain(run("report", tmp_path), "holds no run")
    complain(run("compare", tmp_path), "holds no run")


def test_a_run_is_not_overwritten(run: Run, database: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    options = ("--board", "host", "--records", "a", "--data", database, "--out", tmp_path)
    complain(run("replay", *options), "not an empty folder", "--out")
    (tmp_path / "run.json").write_text("{}")
    complain(run("replay", *options), "already holds a run", "--resume")
    assert (tmp_path / "thesis.txt").read_text() == "mine"


def test_score_prints_physionets_lines(run: Run, database: Path) -> None:
    code, out, _ = run("score", database / "a.atr", database / "a.atr")
    assert code == 0
    line = next(s for s in out.splitlines() if s.split()[:1] == ["a"])
    assert line.count("100.00") >= 2
    code, out, _ = run("score", database, database, "--annotator", "atr", "--json")
    assert code == 0
    scores = json.loads(out)
    assert [r["record"] for r in scores["whole"]["records"]] == ["a", "b"]
    assert scores["whole"]["gross"]["qrs"]["fn"] == 0


def test_score_takes_a_database_by_its_name(
    run: Run, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EINTHOVEN_DATA", str(database.parent))
    monkeypatch.chdir(tmp_path)
    code, out, _ = run("score", f"{database.name}/a.atr", database / "a.atr")
    assert code == 0 and any(line.split()[:1] == ["a"] for line in out.splitlines())
    code, out, _ = run("score", database.name, database, "--annotator", "atr", "--json")
    assert code == 0 and len(json.loads(out)["whole"]["records"]) == 2
    complain(run("score", f"{database.name}/z.atr", database / "a.atr"), "there is no", "z.atr")
    complain(run("score", "../z.atr", database / "a.atr"), "there is no", "../z.atr")


def test_score_complains(run: Run, database: Path, tmp_path: Path) -> None:
    complain(run("score", tmp_path / "none.atr", tmp_path), "there is no", "none.atr")
    complain(run("score", database, database / "a.atr"), "two annotation files or two folders")
    complain(run("score", database, database), "no annotation files *.ein", "--annotator")
    complain(run("score", database / "a.atr", tmp_path / "a.ein"), "a.ein")
    (tmp_path / "a.ein").write_bytes(b"\x01\x02\x03")
    complain(run("score", database / "a.atr", tmp_path / "a.ein"), "truncated")


def test_verify(run: Run, database: Path, tmp_path: Path) -> None:
    code, out, _ = run("data", "verify", database)
    assert code == 0 and "2 records" in out and "0 problems" in out
    damaged(database, tmp_path, "checksum")
    code, out, err = run("data", "verify", tmp_path)
    assert code == 2 and "1 problem" in out and err.count("\n") == 1
    complain(run("data", "verify", tmp_path / "nowhere"), "nowhere is not a folder of records")
    complain(run("data", "verify", "no_such_db"), "einthoven data fetch no_such_db")
    code, out, _ = run("data", "verify", database / "a.hea")
    assert code == 2


def test_verify_takes_a_database_by_name(
    run: Run, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(database, tmp_path / "own_db")
    monkeypatch.setenv("EINTHOVEN_DATA", str(tmp_path))
    code, out, _ = run("data", "verify", "own_db")
    assert code == 0 and f"{tmp_path / 'own_db'}: " in out and "2 records" in out


def test_lists(run: Run) -> None:
    code, out, _ = run("data", "list")
    assert code == 0 and "mitdb" in out and "10.13026/C2F305" in out
    code, out, _ = run("boards")
    assert code == 0 and "qemu_stm32f405" in out and "host" in out


def test_training_without_tensorflow(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("einthoven.commands.model.find_spec", lambda _: None)
    complain(run("train", "r.toml", "--out", tmp_path), "tensorflow", "pip install")
    complain(run("quantize", tmp_path), "tensorflow", "pip install")


def test_the_card_is_shown_and_written(run: Run, tmp_path: Path) -> None:
    """Its figures are those of the device's table, in a folder that need not be there."""
    page = tmp_path / "box" / "my card.html"
    assert run("card", "--out", page)[0] == 0
    code, shown, _ = run("card")
    assert code == 0
    for said in (shown, html.unescape(page.read_text(encoding="utf-8"))):
        assert "Not a medical device" in said
        for alarm in load().alarms:
            assert " ".join(alarm.says.split()) in " ".join(said.split())


def test_export_complains(run: Run, tmp_path: Path) -> None:
    complain(run("export", tmp_path, "--out", tmp_path / "c"), "no model in")
    assert not (tmp_path / "c").exists()


def test_flash_complains(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("einthoven.boards.board.build", lambda _: None)
    complain(run("flash", "host"), "nothing to flash")


def test_a_typing_error_is_no_traceback(run: Run) -> None:
    complain(run("replay", "--jobs", "many"), "--jobs", "--help")
    complain(run("replay", "--jobs", "0"), "--jobs", "--help")
    complain(run("replay", "--bord", "host"), "--bord", "--help")
    complain(run("build"), "board", "(see: einthoven build --help)")
    complain(run("data", "mix", "100"), "noise", "(see: einthoven data mix --help)")
    complain(run("replya"), "replya", "--help")
    code, out, err = run()
    assert code == 2 and "replay" in out and not err


def test_a_file_that_cannot_be_read(
    run: Run, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied", str(database / "a.hea"))

    monkeypatch.setattr("einthoven.records.download.verify", refuse)
    complain(run("data", "verify", database), "a.hea: Permission denied")


def test_an_interrupt_has_its_own_exit_code(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> None:
        raise KeyboardInterrupt("1 of 2 records are done")

    monkeypatch.setattr("einthoven.boards.board.list_boards", stop)
    code, _, err = run("boards")
    assert code == 130 and err.strip() == "interrupted: 1 of 2 records are done"


def start(*words: str, stdout: int) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-c", "from einthoven.cli import main; main()", *words]
    return subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, check=False, timeout=600)


def test_a_full_disk_behind_stdout() -> None:
    full = os.open("/dev/full", os.O_WRONLY)
    try:
        done = start("boards", stdout=full)
    finally:
        os.close(full)
    assert done.returncode == 2
    assert done.stderr.decode().startswith("error: disk full") and done.stderr.count(b"\n") == 1


def test_a_closed_pipe_behind_stdout() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = start("boards", stdout=writing)
    finally:
        os.close(writing)
    assert done.returncode == 1 and done.stderr == b""


def test_help_shows_every_default(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A default in square brackets would be taken for markup and vanish."""
    monkeypatch.setenv("COLUMNS", "200")
    for words, default in (
        (("replay",), "Run folder (default: runs/<time>-<board>)."),
        (("export",), "(default: firmware/generated of a checkout, else"),
        (("score",), "(default: those in TEST)."),
        (("data", "fetch"), "(default: the user's cache)."),
        (("data", "verify"), "Database by name or folder of records (default: mitdb)."),
    ):
        code, out, _ = run(*words, "--help")
        assert code == 0 and default in out


def test_a_terminal_without_the_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    done = start("boards", stdout=subprocess.PIPE)
    assert done.returncode == 0 and b"qemu_stm32f405" in done.stdout


def test_help_needs_no_heavy_module() -> None:
    """`einthoven --help` answers at once: what takes long is imported when it is needed."""
    code = (
        "import sys\nfrom einthoven.cli import main\nsys.argv = ['einthoven', '--help']\n"
        "try: main()\nexcept SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'pandas', 'wfdb', 'matplotlib', 'tensorflow', 'cffi'}\n"
        "sys.exit(', '.join(sorted(heavy & sys.modules.keys())) or 0)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr
    for command in ("demo", "replay", "score", "flash", "train", "export", "data"):
        assert command in done.stdout
