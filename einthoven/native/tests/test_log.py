"""The device's log: the C's own tests, power cuts, and whether those would notice."""

import subprocess
from pathlib import Path

import pytest

from einthoven.native.log_cuts import FLAGS, SUITE_CUTS, build
from einthoven.native.log_ratio import stored_bytes, strips

SANITIZERS = ("-fsanitize=address,undefined", "-fno-sanitize-recover=all")


def _run(program: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [str(program), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_c_module(tmp_path: Path) -> None:
    done = _run(build("test_ein_log", tmp_path, (*FLAGS, *SANITIZERS)))
    assert done.returncode == 0, done.stdout + done.stderr


def test_ecg_of_records_takes_a_third(mitdb: Path) -> None:
    taken = [(2 * len(strip), stored_bytes(strip)) for strip in strips(mitdb, 48, 1)]
    samples, stored = (sum(column) for column in zip(*taken, strict=True))
    assert samples >= 3 * stored


@pytest.mark.parametrize("geometry", [(), ("pages",)], ids=["any", "pages"])
def test_cuts_lose_nothing(tmp_path: Path, geometry: tuple[str, ...]) -> None:
    done = _run(build("test_cuts", tmp_path), SUITE_CUTS, 1, *geometry)
    assert done.returncode == 0, done.stdout + done.stderr
    cuts, _, lost, *rest = done.stdout.splitlines()[-1].split()
    assert int(cuts) >= SUITE_CUTS and int(lost) == 0 and rest == ["records", "lost"]


def test_cuts_under_sanitizers(tmp_path: Path) -> None:
    done = _run(build("test_cuts", tmp_path, (*FLAGS, *SANITIZERS)), 1000, 500)
    assert done.returncode == 0, done.stdout + done.stderr


WRONG = {
    "CRC of a record is not looked at": (
        "ein_log_scan.c",
        "return ein_log_crc(cursor->sequence, cursor->offset, buffer, 4u + size) ==\n"
        "           ein_get_u32(buffer + 4u + size);",
        "return true;",
    ),
    "CRC does not cover its place": (
        "ein_log_scan.c",
        "ein_log_crc(cursor->sequence, cursor->offset, buffer, 4u + size)",
        "ein_log_crc(cursor->sequence, 32, buffer, 4u + size)",
    ),
    "does not look behind a torn record": (
        "ein_log_scan.c",
        "cursor->offset += cursor->unit;",
        "cursor->offset = cursor->end;",
    ),
    "takes any sector with a header for whole": (
        "ein_log.c",
        "if (found.used) {",
        "if (found.used || true) {",
    ),
    "says what it gives up too late": (
        "ein_log.c",
        "log->state = ein_log_port_erase(sector) ? ERASING : IDLE;",
        "log->state = ERASING; ein_log_port_erase((uint16_t)((sector + 1u) % log->sectors));",
    ),
    "answers before it has written": (
        "ein_log_store.c",
        "if (write_at(log->current, at, buffer, total)) {",
        "if (write_at(log->current, at, buffer, total) || true) {",
    ),
    "boots are not told apart": (
        "ein_log.c",
        "if (log->anchored && log->seconds",
        "if (log->seconds",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_log_is_noticed(name: str, tmp_path: Path) -> None:
    source, old, new = WRONG[name]
    flags = tuple(flag for flag in FLAGS if flag != "-Werror")
    done = _run(build("test_cuts", tmp_path, flags, {source: (old, new)}), 3 * SUITE_CUTS, 1)
    assert done.returncode != 0, done.stdout


def test_a_flash_that_forgets_is_noticed(tmp_path: Path) -> None:
    done = _run(build("test_cuts", tmp_path), SUITE_CUTS, 1, "forgets")
    assert done.returncode == 1
    assert int(done.stdout.splitlines()[-1].split()[2]) > 0
