"""The commands about keys: what they print, and one clear line for bad input."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import einthoven.cli
from einthoven.fleet import operator

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)

    def einthoven_(*words: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["einthoven", *words])
        capfd.readouterr()
        with pytest.raises(SystemExit) as left:
            einthoven.cli.main()
        out, err = capfd.readouterr()
        return (left.value.code if isinstance(left.value.code, int) else 1), out, err

    return einthoven_


def complain(outcome: tuple[int, str, str], words: str) -> None:
    code, _, err = outcome
    assert code == 2 and err.count("\n") == 1 and err.startswith("error: ") and words in err, err


def test_a_key_is_made_and_never_shown(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("keys", "new", "clinic-01", "--id", "00aa", "--board", "host_device")
    assert code == 0 and "fingerprint" in out and "keep a copy" in out
    secret = (tmp_path / "keys" / "clinic-01.key").read_text().strip()
    code, shown, _ = run("keys", "show")
    assert code == 0 and "clinic-01" in shown
    assert secret not in out + shown + (tmp_path / "fleet.toml").read_text()
    (tmp_path / "keys" / "clinic-01.key").chmod(0o644)
    assert "chmod 600" in " ".join(run("keys", "show")[1].split())
    complain(run("keys", "set", "clinic-01"), "chmod 600")


def test_what_is_not_there(run: Run) -> None:
    complain(run("keys", "show"), "keys new NAME")
    run("keys", "new", "a")
    complain(run("keys", "new", "a"), "already")
    complain(run("keys", "set", "b"), "has no device 'b'")
    complain(run("keys", "set", "a"), "say which board a is")


def test_a_sealed_export_is_opened(run: Run, tmp_path: Path) -> None:
    assert run("keys", "operator", "own")[0] == 0
    sealed, key = tmp_path / "log.sealed", "own/operator-seal.key"
    sealed.write_bytes(operator.seal(b"a log", tmp_path / "own" / "operator-seal.pub"))
    assert run("keys", "unseal", str(sealed), "--key", key, "--out", "log")[0] == 0
    assert (tmp_path / "log").read_bytes() == b"a log"
    complain(run("keys", "unseal", str(sealed), "--key", key, "--out", "log"), "is there already")
    complain(run("keys", "unseal", "no such", "--key", key, "--out", "x"), "no such")
    complain(run("keys", "operator", "own"), "is there already")


def test_an_update_that_nobody_signed(run: Run, tmp_path: Path) -> None:
    run("keys", "operator", "own")
    complain(
        run("update", "x.img", "--board", "host_device", "--signed-by", "none.pub"), "no none.pub"
    )
    complain(
        run("sign-image", "host_device", "--key", "own/operator-sign.key", "--out", "release"),
        "has no slots",
    )
    words = ("sign-image", "qemu_stm32f405_device", "--key", "own/operator-sign.key")
    complain(run(*words, "--out", "release", "--version", "3"), "three numbers")
    Path("taken").touch()
    complain(run(*words, "--out", "taken"), "taken")  # before it builds
