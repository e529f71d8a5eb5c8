"""Episodes against what PhysioNet's epicmp and sumstats print, and the rules one by one."""

from pathlib import Path

import pytest

from einthoven.records.annotations import Annotations, read_annotations, write_annotations
from einthoven.records.record import rate_and_length
from einthoven.scoring.episode_text import episode_line, episode_table
from einthoven.scoring.episodes import NOTHING, EpisodeScores, compare_episodes, episodes, marks

RATE = 100.0
END = 100_000


@pytest.mark.records
@pytest.mark.parametrize("kind", ["af", "vf"])
@pytest.mark.parametrize(("protocol", "start_s"), [("ec57", 300.0), ("whole", 0.0)])
def test_every_line_is_that_of_epicmp(
    mitdb: Path, reference_scores: Path, kind: str, protocol: str, start_s: float
) -> None:
    folder = reference_scores / "rhythm"
    scored = []
    for path in sorted(folder.glob("*.rhy")):
        rate_hz, length = rate_and_length(mitdb, path.stem)
        pair = read_annotations(mitdb, path.stem), read_annotations(folder, path.stem, "rhy")
        scored.append(
            (path.stem, compare_episodes(*pair, rate_hz, length, kind, start_s)),
        )
    assert len(scored) == 48
    printed = (folder / f"epicmp_{kind}_{protocol}.out").read_text().splitlines()
    assert [episode_line(*row) for row in scored] == printed[2:]
    sums = (folder / f"epicmp_{kind}_{protocol}_sumstats.txt").read_text()
    assert episode_table(scored, kind) == sums


def _marked(*marks: tuple[float, str], rate_hz: float = RATE) -> Annotations:
    """Annotations at seconds: `[`, `]`, or a rhythm's name."""
    samples = [round(s * rate_hz) for s, _ in marks]
    symbols = [m if m in "[]" else "+" for _, m in marks]
    found = Annotations.of(samples, symbols, rate_hz)
    aux = tuple("" if m in "[]" else m for _, m in marks)
    return Annotations(
        found.samples, found.symbols, found.subtype, found.chan, found.num, aux, rate_hz
    )


def _af(
    reference: Annotations, test: Annotations, start_s: float = 0.0, exclude_flutter: bool = False
) -> EpisodeScores:
    return compare_episodes(reference, test, RATE, END, "af", start_s, exclude_flutter)


def test_an_episode_lasts_until_another_rhythm_or_the_end() -> None:
    marks = _marked((10, "(AFIB"), (20, "(AFIB"), (30, "(N"), (990, "(AFIB"))
    assert episodes(marks, "af", END) == [(1000, 3000), (99_000, END)]
    assert episodes(_marked((10, "["), (12, "(N"), (14, "]")), "vf", END) == [(1000, 1400)]


def test_touching_is_found_and_durations_are_shared() -> None:
    reference = _marked((100, "(AFIB"), (200, "(N"), (300, "(AFIB"), (310, "(N"))
    test = _marked((150, "(AFIB"), (250, "(N"), (400, "(AFIB"), (401, "(N"))
    scores = _af(reference, test)
    assert (scores.found, scores.missed, scores.true, scores.false) == (1, 1, 1, 1)
    assert (scores.found_s, scores.reference_s) == (50.0, 110.0)
    assert (scores.true_s, scores.test_s) == (50.0, 101.0)
    assert scores.duration_se == pytest.approx(50 / 110)
    assert scores.duration_ppv == pytest.approx(50 / 101)


def test_the_first_minutes_do_not_count() -> None:
    marks = _marked((10, "(AFIB"), (20, "(N"), (290, "(AFIB"), (310, "(N"))
    scores = _af(marks, marks, 300.0)
    assert (scores.found, scores.true, scores.reference_s, scores.test_s) == (1, 1, 10.0, 10.0)


def test_fibrillation_in_the_references_flutter_is_false_unless_left_out() -> None:
    reference = _marked((100, "(AFL"), (200, "(AFIB"), (300, "(N"))

    def scored(begin: float, end: float, leave_out: bool = True) -> EpisodeScores:
        return _af(reference, _marked((begin, "(AFIB"), (end, "(N")), 0.0, leave_out)

    counted, within = scored(120, 180, False), scored(120, 180)
    assert (counted.true, counted.false, counted.test_s) == (0, 1, 60.0)
    assert (within.true, within.false, within.test_s) == (0, 0, 0.0)
    across, over, around = scored(150, 350), scored(50, 150), scored(90, 210)
    assert (across.true, across.test_s, across.true_s) == (1, 150.0, 100.0)
    assert (over.false, over.test_s) == (1, 50.0)
    assert (around.true, around.test_s, around.true_s) == (1, 20.0, 10.0)


def test_times_of_another_rate_are_converted() -> None:
    reference = _marked((100, "(AFIB"), (200, "(N"))
    scores = _af(reference, _marked((100, "(AFIB"), (200, "(N"), rate_hz=180.0))
    assert scores.found_s == scores.true_s == scores.test_s == 100.0


def test_what_is_added_is_gross_and_survives_json() -> None:
    one = EpisodeScores(1, 2, 3, 4, 5.0, 6.0, 7.0, 8.0)
    assert one + one + NOTHING == EpisodeScores(2, 4, 6, 8, 10.0, 12.0, 14.0, 16.0)
    assert EpisodeScores.of_dict(one.to_dict()) == one
    assert NOTHING.episode_se is NOTHING.duration_ppv is None


def test_nothing_is_hyphens_and_a_table_without_episodes_is_whole() -> None:
    table = episode_table([("1", NOTHING)], "vf")
    assert table.startswith("(VF detection)\n") and table.endswith("from 1 record\n")
    assert "   -   -   -   -         0.000          0.000" in episode_line("1", NOTHING)
    assert len(table.splitlines()) == 9


def test_marks_stand_beside_beats_in_a_file_that_wfdb_reads(tmp_path: Path) -> None:
    beats = Annotations.of([100, 200, 300, 400], "NVNN", RATE)
    both = marks(beats, {"af": [(100, 300)], "vf": [(150, 400)]}, num=[1, 2, 3, 4])
    assert "".join(both.symbols) == "+N[VN+N]"
    write_annotations(
        *(tmp_path, "x", "ein", both.samples, both.symbols.tolist(), RATE),
        num=both.num,
        aux=both.aux,
    )
    read = read_annotations(tmp_path, "x", "ein")
    assert episodes(read, "af") == [(100, 300)] and episodes(read, "vf") == [(150, 400)]
    assert read.num[read.symbols == "V"].tolist() == [2]
    assert compare_episodes(both, read, RATE, 500, "af", 0.0).duration_se == 1.0
