"""Annotation files, all at once, against the `wfdb` package, which goes word by word."""

from pathlib import Path

import numpy as np
import pytest
import wfdb
from hypothesis import given, settings
from hypothesis import strategies as st

from einthoven.records.annotation_file import Columns, decode, encode
from einthoven.records.annotations import read_annotations

SYMBOLS = 'NLRaVFJASEj/Q~|sT*D"=pB^t+u?![]en@xf()r'
CHARACTERS = st.characters(max_codepoint=255, exclude_characters="\t\n\r\f\v")

ROWS = st.lists(
    st.tuples(
        st.one_of(st.integers(0, 1500), st.integers(0, 3_000_000)),
        st.sampled_from(SYMBOLS),
        st.one_of(st.just(0), st.integers(-128, 127)),
        st.one_of(st.just(0), st.integers(0, 127)),
        st.one_of(
            st.just(""),
            st.text(st.characters(max_codepoint=255, exclude_characters="\t\n\r\f\v"), max_size=9),
        ),
    ),
    min_size=1,
    max_size=30,
)


def by_wfdb(folder: Path, annotator: str) -> Columns:
    read = wfdb.rdann(str(folder / "r"), annotator)
    aux = tuple(note.rstrip("\0") for note in read.aux_note)
    return Columns(read.sample, np.array(read.symbol), read.subtype, read.chan, read.num, aux)


def same(ours: Columns, theirs: Columns) -> bool:
    columns = zip(ours[:-1], theirs[:-1], strict=True)
    return ours.aux == theirs.aux and all(
        np.array_equal(np.asarray(a), np.asarray(b)) for a, b in columns
    )


@settings(max_examples=150)
@given(rows=ROWS, rate_hz=st.sampled_from([128.0, 250.0, 360.0, 257.5]), data=st.data())
def test_what_wfdb_writes_is_read_and_written_alike(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[int, str, int, int, str]],
    rate_hz: float,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("ann")
    steps, symbols, subtype, num, aux = map(list, zip(*rows, strict=True))
    samples = np.cumsum(np.array(steps, dtype=np.int64))
    fields = np.array(subtype), np.array(num)
    write = {"symbol": list(symbols), "fs": rate_hz, "write_dir": str(folder)}
    write |= {"subtype": fields[0], "num": fields[1], "aux_note": list(aux)}
    wfdb.wrann("r", "ein", samples, **write)
    content = (folder / "r.ein").read_bytes()
    assert encode(samples, symbols, rate_hz, *fields, aux) == content
    read = decode(content)
    assert read is not None and same(read, by_wfdb(folder, "ein"))
    chan = np.array(
        data.draw(st.lists(st.integers(0, 255), min_size=len(rows), max_size=len(rows)))
    )
    wfdb.wrann("r", "chan", samples, chan=chan, **write)
    read = decode((folder / "r.chan").read_bytes())
    assert read is not None and same(read, by_wfdb(folder, "chan"))


@settings(max_examples=200)
@given(words=st.lists(st.integers(0, 0xFFFF), max_size=12), end=st.sampled_from([b"\0\0", b"\0"]))
def test_any_words_are_read_as_wfdb_does_or_left_to_it(
    tmp_path_factory: pytest.TempPathFactory, words: list[int], end: bytes
) -> None:
    folder = tmp_path_factory.mktemp("ann")
    content = np.array(words, dtype="<u2").tobytes() + end
    (folder / "r.atr").write_bytes(content)
    read = decode(content)
    if read is not None:
        assert same(read, by_wfdb(folder, "atr"))


def test_symbols_of_the_file_s_own_are_left_to_wfdb(tmp_path: Path) -> None:
    own = [(42, "z", "of our own")]
    wfdb.wrann("r", "ein", np.array([5, 700]), symbol=["N", "z"], custom_labels=own, fs=360,
               write_dir=str(tmp_path))  # fmt: skip
    assert decode((tmp_path / "r.ein").read_bytes()) is None
    assert read_annotations(tmp_path, "r", "ein").symbols.tolist() == ["N", "z"]


@pytest.mark.parametrize(
    ("samples", "symbols", "subtype", "num", "note"),
    [
        ([20, 10], "NN", 0, 0, ""),
        ([10, 20], "Ny", 0, 0, ""),
        ([10, 20], "NN", 200, 0, ""),
        ([10, 20], "NN", 0, -1, ""),
        ([10, 20], "NN", 0, 0, "two\nlines"),
        ([], "", 0, 0, ""),
    ],
)
def test_what_cannot_be_written_is_left_to_wfdb(
    samples: list[int], symbols: str, subtype: int, num: int, note: str
) -> None:
    times = np.array(samples, dtype=np.int64)
    fields = np.full_like(times, subtype), np.full_like(times, num)
    assert encode(times, list(symbols), 360.0, *fields, [note] * len(times)) is None


@pytest.mark.records
@pytest.mark.parametrize("database", ["mitdb", "nstdb"])
def test_every_reference_is_read_as_wfdb_does(
    database: str, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(database)
    files = sorted(folder.glob("*.atr"))
    assert files
    for path in files:
        ours = decode(path.read_bytes())
        read = wfdb.rdann(str(path.with_suffix("")), "atr")
        aux = tuple(note.rstrip("\0") for note in read.aux_note)
        columns = read.sample, np.array(read.symbol), read.subtype, read.chan, read.num, aux
        assert ours is not None and same(ours, Columns(*columns)), path.name
