"""Labels turned into marks, what counts as raised, and the page's tables."""

import numpy as np

from einthoven.native import rhythm
from einthoven.records.annotations import Annotations
from einthoven.scoring.episodes import episodes
from einthoven.training.rhythm.measure import FLUTTER, TACHYCARDIA, Told, marked
from einthoven.training.rhythm.page import region


def _labels(*marks: tuple[int, str]) -> Annotations:
    plain = Annotations.of([t for t, _ in marks], ["+"] * len(marks), 250.0)
    aux = tuple(a for _, a in marks)
    return Annotations(
        plain.samples, plain.symbols, plain.subtype, plain.chan, plain.num, aux, 250.0
    )


def test_labels_become_marks() -> None:
    labels = _labels(
        (0, "(N"), (100, "(VT"), (200, "(VFL"), (300, "(VFIB"), (400, "(N"), (900, "(VF")
    )
    found = episodes(marked(labels, FLUTTER, 250.0), "vf", 1000)
    assert found == [(200, 400), (900, 1000)]
    assert episodes(marked(labels, TACHYCARDIA, 250.0), "vf", 1000) == [(100, 400), (900, 1000)]


def test_what_was_told_is_in_seconds_and_at_the_records_rate() -> None:
    code = rhythm.kinds().index("atrial fibrillation")
    columns = ([code] * 2, [rhythm.BEGIN, rhythm.END], [180, 180], [0, 900], [360, 990])
    events = rhythm.RhythmEvents(*(np.array(c) for c in columns))
    told = Told("x", 360.0, 3600, events)
    assert told.seconds("atrial fibrillation") == [(1.0, 5.0, 2.0)]
    assert told.seconds("asystole") == []
    assert episodes(told.annotations("af", "atrial fibrillation"), "af") == [(360, 1800)]


def test_the_page_says_what_was_found() -> None:
    share = {"n": 4, "hits": 3, "interval": [0.25, 1.0]}
    none = {"n": 0, "hits": 0, "interval": None}
    text = region(
        "alarms", {"kinds": {"Asystole": {"true_raised": share, "false_not_raised": none}}}
    )
    assert "| Asystole | 3 of 4: 75.0 (25.0–100.0) % | 0 of 0: – % |" in text
    quotients = ("duration_se", "duration_ppv", "episode_se", "episode_ppv")
    gross = dict.fromkeys(quotients, 0.5)
    entry = {
        "gross": gross,
        "intervals": {name: [0.25, 0.75] for name in quotients},
        "records": [{"record": "201", **gross, "reference_s": 10.0, "test_s": 12.4}],
    }
    text = region("vf", {"ec57": entry, "delays_s": [2.0, 11.0, 3.0]})
    assert "50.0 (25.0–75.0)" in text and "| 201 | 50.0 | 50.0 | 50.0 | 50.0 | 10 | 12 |" in text
    assert "median 3.0 s" in text and "1 later than 10 s" in text
