"""Classes, mappings and splits, against the counts that were published for them."""

from collections import Counter
from pathlib import Path

import pytest

from einthoven.aami import (
    BEAT_SYMBOLS,
    CLASSES,
    DS1,
    DS2,
    PACED,
    ec57_class,
    literature_class,
)
from einthoven.records.annotations import read_annotations
from einthoven.records.database import record_names


def test_splits_are_the_44_records_without_paced_beats() -> None:
    assert len(DS1) == len(DS2) == 22
    assert len({*DS1, *DS2, *PACED}) == 48


def test_mappings_differ_in_escape_beats_only() -> None:
    differing = {s for s in BEAT_SYMBOLS if literature_class(s) != ec57_class(s)}
    assert differing == {"e", "j", "n"}
    assert {ec57_class(s) for s in BEAT_SYMBOLS} == set(CLASSES)


@pytest.mark.parametrize("symbol", ["+", "~", "!", "[", "]", '"', "x", "|", ""])
def test_what_is_no_beat_has_no_class(symbol: str) -> None:
    assert literature_class(symbol) is None
    assert ec57_class(symbol) is None


@pytest.mark.records
@pytest.mark.parametrize(
    ("selection", "counts"),
    [
        # de Chazal 2004, table III, and the sum of both.
        (DS1, (45_866, 944, 3_788, 415, 8)),
        (DS2, (44_259, 1_837, 3_221, 388, 7)),
        ((*DS1, *DS2), (90_125, 2_781, 7_009, 803, 15)),
    ],
    ids=["ds1", "ds2", "both"],
)
def test_counts_of_the_splits(
    mitdb: Path, selection: tuple[str, ...], counts: tuple[int, ...]
) -> None:
    found: Counter[str | None] = Counter()
    for name in selection:
        found.update(literature_class(s) for s in read_annotations(mitdb, name).symbols.tolist())
    assert tuple(found[c] for c in CLASSES) == counts


@pytest.mark.records
def test_mitdb_has_109494_beats(mitdb: Path) -> None:
    beats = sum(
        ec57_class(s) is not None
        for name in record_names(mitdb, "all")
        for s in read_annotations(mitdb, name).symbols.tolist()
    )
    assert beats == 109_494
