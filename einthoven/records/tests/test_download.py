"""Downloads, from a real HTTP server that breaks off, lies and refuses."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from einthoven.errors import DownloadError, RecordError
from einthoven.records import database
from einthoven.records.annotations import read_annotations
from einthoven.records.database import record_names
from einthoven.records.download import fetch, find_database, list_databases, verify
from einthoven.records.record import read_record
from einthoven.records.synth import make_record

DB = "svdb"  # known, and no digests of it are pinned
NAMES = ("800", "801", "802")


@dataclass
class Server:
    """What the server has, how it misbehaves, and what it was asked."""

    folder: Path
    url: str = ""
    cut_after: dict[str, int] = field(default_factory=dict)
    """File to the bytes after which its next transfers break off, once an entry."""
    corrupt: dict[str, int] = field(default_factory=dict)
    """File to the number of transfers in which a byte is wrong."""
    status: dict[str, list[int]] = field(default_factory=dict)
    """File to the HTTP codes that its next requests get."""
    ignores_ranges: bool = False
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """(file, Range header) of every request."""

    def files(self) -> list[str]:
        return [name for name, _ in self.asked]

    def write_sums(self) -> None:
        lines = [
            f"{hashlib.sha256(p.read_bytes()).hexdigest()} {p.name}"
            for p in sorted(self.folder.iterdir())
            if p.name != "SHA256SUMS.txt"
        ]
        (self.folder / "SHA256SUMS.txt").write_text("\n".join(lines) + "\n")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three short records as PhysioNet would offer them."""
    folder = tmp_path_factory.mktemp("source")
    for seed, name in enumerate(NAMES):
        make_record(seed, 60.0).write(folder, name)
    (folder / "RECORDS").write_text("\n".join(NAMES) + "\n")
    (folder / "802.xws").write_text("not needed")
    return folder


@pytest.fixture
def server(source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    state = Server(tmp_path / "www")
    shutil.copytree(source, state.folder)
    state.write_sums()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            prefix, name = f"/files/{DB}/1.0.0/", self.path.rpartition("/")[2]
            wanted = self.headers.get("Range")
            state.asked.append((name, wanted))
            codes = state.status.get(name)
            path = state.folder / name
            if codes or not self.path.startswith(prefix) or not path.is_file():
                self.send_response(codes.pop(0) if codes else 404)
                self.end_headers()
                return
            data = path.read_bytes()
            if state.corrupt.get(name, 0) > 0:
                state.corrupt[name] -= 1
                data = data[:-1] + bytes([data[-1] ^ 1])
            first = 0
            if wanted and not state.ignores_ranges:
                first = int(wanted.removeprefix("bytes=").rstrip("-"))
                if first >= len(data):
                    self.send_response(416)
                    self.end_headers()
                    return
            self.send_response(206 if first else 200)
            self.send_header("Content-Length", str(len(data) - first))
            self.end_headers()
            limit = state.cut_after.pop(name, None)
            self.wfile.write(data[first:] if limit is None else data[first : first + limit])

        def log_message(self, *_args: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=httpd.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    state.url = f"http://127.0.0.1:{httpd.server_port}/files"
    monkeypatch.setenv("EINTHOVEN_PHYSIONET", state.url)
    yield state
    httpd.shutdown()
    httpd.server_close()
    thread.join()


def get(dest: Path, selection: str = "all", db: str = DB) -> Path:
    return fetch(db, dest, selection, progress=False, retry_wait_s=0.0)


def same(dest: Path, source: Path, names: tuple[str, ...] = NAMES) -> bool:
    files = [f"{n}.{suffix}" for n in names for suffix in ("hea", "dat", "atr")]
    return all((dest / f).read_bytes() == (source / f).read_bytes() for f in files)


def test_fetches_what_records_need_and_nothing_else(
    server: Server, source: Path, tmp_path: Path
) -> None:
    dest = get(tmp_path / "new" / DB)
    assert same(dest, source)
    assert record_names(dest, "all") == list(NAMES)
    assert read_record(dest, "801").n_samples == 60 * 360
    assert "802.xws" not in server.files()
    assert not list(dest.glob("*.part"))
    found = verify(dest)
    assert (found.files, found.records, found.problems) == (10, 3, ())


def test_selection_fetches_only_those_and_the_rest_later(
    server: Server, source: Path, tmp_path: Path
) -> None:
    get(tmp_path, "801")
    assert same(tmp_path, source, ("801",))
    assert {f.partition(".")[0] for f in server.files()} == {"SHA256SUMS", "RECORDS", "801"}
    server.asked.clear()
    get(tmp_path)
    assert same(tmp_path, source)
    assert not [f for f in server.files() if f.startswith("801")]


def test_nothing_to_do_needs_no_network(server: Server, tmp_path: Path) -> None:
    get(tmp_path)
    server.asked.clear()
    get(tmp_path)
    assert server.asked == []


def test_a_cut_connection_is_resumed_where_it_broke(
    server: Server, source: Path, tmp_path: Path
) -> None:
    server.cut_after["800.dat"] = 10_000
    get(tmp_path)
    assert same(tmp_path, source)
    assert [r for f, r in server.asked if f == "800.dat"] == [None, "bytes=8192-"]


def test_a_part_of_an_earlier_call_is_resumed(server: Server, source: Path, tmp_path: Path) -> None:
    (tmp_path / "800.dat.part").write_bytes((source / "800.dat").read_bytes()[:777])
    (tmp_path / "800.atr.part").write_bytes((source / "800.atr").read_bytes())
    get(tmp_path)
    assert same(tmp_path, source)
    assert dict(server.asked)["800.dat"] == "bytes=777-"


def test_a_server_without_ranges_starts_over(server: Server, source: Path, tmp_path: Path) -> None:
    server.ignores_ranges = True
    (tmp_path / "800.dat.part").write_bytes(b"x" * 500)
    get(tmp_path)
    assert same(tmp_path, source)


def test_a_wrong_part_is_thrown_away(server: Server, source: Path, tmp_path: Path) -> None:
    (tmp_path / "800.dat.part").write_bytes(b"x" * 500)
    (tmp_path / "801.dat.part").write_bytes(b"x" * 500_000)
    get(tmp_path)
    assert same(tmp_path, source)


def test_a_corrupt_byte_is_fetched_again_once(server: Server, source: Path, tmp_path: Path) -> None:
    server.corrupt["800.dat"] = 1
    get(tmp_path)
    assert same(tmp_path, source)
    assert server.files().count("800.dat") == 2


def test_a_file_that_stays_corrupt_never_appears(server: Server, tmp_path: Path) -> None:
    server.corrupt["801.dat"] = 99
    with pytest.raises(DownloadError, match="SHA-256") as error:
        get(tmp_path)
    assert "\n" not in str(error.value)
    assert (tmp_path / "800.hea").is_file()
    assert not [p for p in tmp_path.glob("801*") if p.suffix != ".part"]
    assert server.files().count("801.dat") == 2


def test_a_file_that_was_damaged_on_disk_is_replaced(
    server: Server, source: Path, tmp_path: Path
) -> None:
    get(tmp_path)
    data = bytearray((tmp_path / "802.dat").read_bytes())
    data[100] ^= 4
    (tmp_path / "802.dat").write_bytes(data)
    problems = verify(tmp_path).problems
    assert problems[0].startswith("802.dat: SHA-256 differs")
    assert "checksum of lead" in problems[1]
    get(tmp_path)
    assert same(tmp_path, source)


def test_header_checksums_are_verified_even_if_the_list_is_wrong_too(
    server: Server, tmp_path: Path
) -> None:
    data = bytearray((server.folder / "801.dat").read_bytes())
    data[0] ^= 4
    (server.folder / "801.dat").write_bytes(data)
    server.write_sums()
    with pytest.raises(DownloadError, match="record 801: checksum"):
        get(tmp_path)


def test_busy_server_is_asked_again_and_then_given_up(
    server: Server, source: Path, tmp_path: Path
) -> None:
    server.status["800.dat"] = [503, 502]
    get(tmp_path / "a")
    assert same(tmp_path / "a", source)
    server.status["800.dat"] = [503] * 99
    with pytest.raises(DownloadError, match="HTTP 503"):
        get(tmp_path / "b")


def test_what_is_not_there_is_said(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="svdb has no record 999"):
        get(tmp_path, "800,999")
    (server.folder / "801.atr").unlink()
    with pytest.raises(DownloadError, match=r"801\.atr .*HTTP 404") as error:
        get(tmp_path)
    assert "\n" not in str(error.value)
    with pytest.raises(DownloadError, match="unknown database xyz: there are mitdb"):
        get(tmp_path, db="xyz")


def test_a_page_instead_of_the_list(server: Server, tmp_path: Path) -> None:
    (server.folder / "SHA256SUMS.txt").write_text("<html>Please log in</html>")
    with pytest.raises(DownloadError, match="lists no records"):
        get(tmp_path)


def test_pinned_digests_are_what_counts(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that offers other bytes for mitdb, with a list that fits them, is refused."""
    root = tmp_path / "other"
    shutil.copytree(server.folder, root / "files" / "mitdb" / "1.0.0")
    for suffix in ("hea", "dat", "atr"):
        (root / "files/mitdb/1.0.0" / f"800.{suffix}").rename(
            root / "files/mitdb/1.0.0" / f"100.{suffix}"
        )
    listener = subprocess.Popen(
        [sys.executable, "-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "-d", str(root)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert listener.stdout is not None
        port = listener.stdout.readline().split("port ")[1].split()[0]
        monkeypatch.setenv("EINTHOVEN_PHYSIONET", f"http://127.0.0.1:{port}/files")
        with pytest.raises(DownloadError, match="SHA-256"):
            get(tmp_path / "mitdb", "100", "mitdb")
    finally:
        listener.kill()
        listener.wait()


@pytest.mark.parametrize("host", ["127.0.0.1", "physionet.invalid"])
def test_no_network_is_one_line(host: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:  # bound, but nobody listens: refused
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        monkeypatch.setenv("EINTHOVEN_PHYSIONET", f"http://{host}:{port}/files")
        with pytest.raises(DownloadError, match="no connection") as error:
            get(tmp_path)
    text = str(error.value)
    assert "\n" not in text
    assert "--data" in text


def test_a_full_disk_is_one_line(server: Server, tmp_path: Path) -> None:
    get(tmp_path, "800")
    (tmp_path / "801.dat.part").symlink_to("/dev/full")  # every write to it: ENOSPC
    with pytest.raises(DownloadError, match="is full") as error:
        get(tmp_path)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "801.dat").exists()
    assert read_record(tmp_path, "800").n_samples == 60 * 360


def test_a_destination_that_is_a_file_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DownloadError, match="cannot write"):
        get(tmp_path / "file")


def test_two_processes_fetch_into_one_folder(server: Server, source: Path, tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; from einthoven.records.download import fetch; "
        f"fetch({DB!r}, Path({str(tmp_path)!r}), progress=False)"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], env=os.environ) for _ in range(2)]
    assert [p.wait(timeout=600) for p in both] == [0, 0]
    assert same(tmp_path, source)
    # The second found everything done.
    assert server.files().count("800.dat") == 1


def test_a_database_that_is_nowhere_is_downloaded_to_the_cache(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EINTHOVEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(database, "ROOT", tmp_path / "checkout")
    folder = find_database(None, DB, "801")
    assert folder == tmp_path / "cache" / "einthoven" / "records" / DB
    assert record_names(folder, "801") == ["801"]
    # Only part of it is there: a later call fetches the rest.
    assert record_names(find_database(None, DB), "all") == list(NAMES)
    server.asked.clear()
    find_database(None, DB)
    assert server.asked == []


def test_verify_needs_records(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no WFDB records"):
        verify(tmp_path)


def test_databases_that_are_known() -> None:
    names = [d.name for d in list_databases()]
    assert names[0] == "mitdb"
    assert len(set(names)) == len(names)


@pytest.mark.records
def test_pinned_digests_are_checked_at_every_reading(
    mitdb: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for suffix in ("hea", "dat", "atr"):
        shutil.copy(mitdb / f"100.{suffix}", tmp_path)
    shutil.copy(mitdb / "RECORDS", tmp_path)
    shutil.copy(mitdb / "ANNOTATORS", tmp_path)
    monkeypatch.setenv("EINTHOVEN_PHYSIONET", "http://127.0.0.1:9")
    get(tmp_path, "100", "mitdb")  # all is there: no connection is tried
    assert len(read_annotations(tmp_path, "100")) == 2274
    data = bytearray((tmp_path / "100.atr").read_bytes())
    data[500] ^= 1
    (tmp_path / "100.atr").chmod(0o644)
    (tmp_path / "100.atr").write_bytes(data)
    with pytest.raises(RecordError, match="SHA-256"):
        read_annotations(tmp_path, "100")


@pytest.mark.records
def test_mitdb_verifies_against_the_pinned_digests(mitdb: Path) -> None:
    found = verify(mitdb)
    assert found.problems == ()
    assert (found.files, found.records) == (146, 48)
