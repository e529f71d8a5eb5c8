"""A log fetched over a bad link, from the device's own log in memory instead of over the wire."""

from collections.abc import Callable, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from einthoven.device_log.copy import CopyFile, Place, read_copy
from einthoven.device_log.description import Device as Identity
from einthoven.device_log.reader import read_log
from einthoven.device_log.testing import device_written_log
from einthoven.errors import KeysError, LinkError
from einthoven.hil_tests.harness.device import Device
from einthoven.hil_tests.harness.fetch import Fetched, fetch, is_complete
from einthoven.native.log import Log, LogError

WHO = Identity("host_device", "D-1")


class Direct:
    """The log's side of `harness.device.Device`, on a log in memory. `fails`: read to error."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.reads = 0
        self.fails: dict[int, Exception] = {}

    def log_status(self) -> Mapping[str, Any]:
        about = self.log.about()
        return {"bytes": len(self.log.image), "sectors": len(self.log.sectors), **about}

    def log_read(self, sequence: int, offset: int) -> tuple[int, int, bytes]:
        self.reads += 1
        if self.reads in self.fails:
            raise self.fails.pop(self.reads)
        return self.log.read(sequence, offset, 240)


def fetched(device: Direct, path: Path, unlock: Callable[[], None] = lambda: None) -> Fetched:
    with CopyFile(path, WHO) as file:
        return fetch(cast(Device, device), file, unlock)


@pytest.fixture
def device() -> Direct:
    return Direct(device_written_log()[0])


def test_a_fetch_takes_all_and_the_next_one_only_what_is_new(
    tmp_path: Path, device: Direct
) -> None:
    path = tmp_path / "x.log"
    first = fetched(device, path)
    assert first.bytes_new > 4000 and first.bytes_before == 0 and not first.given_up
    assert len(read_log(read_copy(path)).strips) == 1
    assert is_complete(cast(Device, device), read_copy(path))
    device.log.append("event", 20_000, event=5)
    assert not is_complete(cast(Device, device), read_copy(path))
    second = fetched(device, path)
    assert 0 < second.bytes_new < 40
    assert second.bytes_before == first.bytes_new
    assert read_log(read_copy(path)).happenings[-1].text == "switched off by its button"
    assert fetched(device, path).bytes_new == 0


@pytest.mark.parametrize("read", [1, 2, 7, 17])
def test_a_pulled_cable_keeps_what_came(tmp_path: Path, device: Direct, read: int) -> None:
    path = tmp_path / "x.log"
    device.fails = {read: LinkError("the port is gone")}
    with pytest.raises(LinkError):
        fetched(device, path)
    assert read_copy(path).size == (read - 1) * 240
    again = fetched(device, path)
    assert again.bytes_before == (read - 1) * 240
    whole = tmp_path / "whole.log"
    fetched(device, whole)
    assert read_copy(path).sectors == read_copy(whole).sectors


def test_a_device_that_closed_itself_is_opened_again(tmp_path: Path, device: Direct) -> None:
    path, opened = tmp_path / "x.log", []
    device.fails = {5: KeysError("closed"), 9: KeysError("closed")}
    fetched(device, path, lambda: opened.append(1))
    assert len(opened) == 2
    assert is_complete(cast(Device, device), read_copy(path))


def test_a_wrong_key_on_the_way_is_told(tmp_path: Path, device: Direct) -> None:
    def wrong() -> None:
        raise KeysError("wrong key")

    device.fails = {3: KeysError("closed")}
    with pytest.raises(KeysError, match="wrong key"):
        fetched(device, tmp_path / "x.log", wrong)
    assert read_copy(tmp_path / "x.log").size == 480


def test_a_log_that_was_made_anew_is_not_mixed_with_the_old_copy(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    fetched(Direct(device_written_log()[0]), path)
    before = path.read_bytes()
    small = Log()
    small.append("event", 10, event=2)
    other, same = device_written_log()[0], Log()
    for i in range(1000):
        same.append("minute", 60_000 * i, normal=i % 90)
    for log in (small, same):
        with pytest.raises(LogError, match="made anew since; fetch to another file with --copy"):
            fetched(Direct(log), path)
    assert path.read_bytes() == before
    assert fetched(Direct(other), path).bytes_new == 0


def test_what_was_given_up_between_two_fetches_is_said(tmp_path: Path) -> None:
    path, log = tmp_path / "x.log", Log(sectors=3, sector_bytes=4096)
    device = Direct(log)
    log.append("event", 10, event=1, detail=1)
    assert not fetched(device, path).given_up
    for i in range(2000):
        log.append("minute", 60_000 * i, normal=i % 90, good_s=60)
    assert fetched(device, path).given_up
    read = read_log(read_copy(path))
    assert read.happenings[0].text == "switched on"  # the copy keeps what the device gave up
    assert read.minutes[-1].beats[0] == 1999 % 90


def test_a_full_disk_keeps_what_was_there(
    tmp_path: Path, device: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.log"
    device.fails = {4: LinkError("gone")}
    with pytest.raises(LinkError):
        fetched(device, path)
    before = path.read_bytes()

    class Full:
        """A file that takes half of what it is given."""

        def __init__(self, file: Any) -> None:
            self._file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self._file, name)

        def write(self, content: bytes) -> int:
            self._file.write(content[: len(content) // 2])
            self._file.flush()
            raise OSError(28, "No space left on device")

    with CopyFile(path, WHO) as file:
        monkeypatch.setattr(file, "_file", Full(file._file))
        with pytest.raises(OSError, match="No space"):
            fetch(cast(Device, device), file, lambda: None)
    assert path.read_bytes() == before
    assert fetched(device, path).bytes_new > 0


def test_the_remaining_bytes_shrink_to_nothing(tmp_path: Path) -> None:
    log = Log(sectors=4, sector_bytes=4096)
    for i in range(800):
        log.append("minute", 60_000 * i, normal=i % 90, good_s=60)
    told: list[tuple[int, int]] = []
    with CopyFile(tmp_path / "x.log", WHO) as file:
        fetch(cast(Device, Direct(log)), file, lambda: None, lambda *t: told.append(t))
    assert told[-1][1] == 0
    assert all(a[0] < b[0] for a, b in pairwise(told))
    total = [came + ahead for came, ahead in told]
    assert max(total) - min(total) < 4096


def test_an_empty_log(tmp_path: Path) -> None:
    device = Direct(Log())
    assert fetched(device, tmp_path / "x.log") == Fetched(0, 0, None, False)
    assert is_complete(cast(Device, device), read_copy(tmp_path / "x.log"))
    assert Place(0, 0) < Place(0, 1) < Place(1, 0)
