"""The page as a file, with firmware in it."""

import base64
import hashlib
import json
import re
import zlib
from pathlib import Path

import pytest

from einthoven import cli
from einthoven.boards.board import load_board
from einthoven.fleet.firmware import as_built
from einthoven.page import html


def einthoven(*words: object) -> int:
    """The exit code."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", ["einthoven", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
    return int(ended.value.code or 0)


def test_firmware_in_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What it carries is what it built, and the rest is the page."""
    board, out = load_board("blackpill_f411ce"), tmp_path / "page.html"
    assert einthoven("page", "--out", out, "--firmware", board.name) == 0
    assert f"with firmware for {board.name}" in capsys.readouterr().out
    text = out.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="firmware">(.*?)</script>\n  ', text)
    assert found is not None and text.replace(found[0], "") == html()
    (image,) = json.loads(found[1])["images"]
    built = as_built(board).image.read_bytes()
    assert zlib.decompress(base64.b64decode(image["data"])) == built
    assert image["sha256"] == hashlib.sha256(built).hexdigest()
    assert (image["address"], image["device_id"]) == (0x08000000, 0x431)


def test_a_board_that_the_page_cannot_flash(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "page.html"
    assert einthoven("page", "--out", out, "--firmware", "nucleo_f446re") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "use `einthoven flash nucleo_f446re`" in said
    assert not out.exists()
