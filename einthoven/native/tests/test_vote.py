"""The vote of a beat's kind, which the firmware computes: against the same in plain Python."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from einthoven.aami import CLASSES
from einthoven.codegen import pipeline
from einthoven.codegen.confidence import VOTE_LIMIT, Calibration, table
from einthoven.errors import ModelError
from einthoven.native.core import NO_SLOT
from einthoven.native.vote import Kinds, Vote
from einthoven.paths import GENERATED

SLOTS = int(pipeline.load()["template"]["slots"])

SCALE = 0.0571
V = CLASSES.index("V")
OTHERS = [i for i in range(len(CLASSES)) if i != V]
DOUBT, MEMORY = 2, 32


@pytest.fixture
def vote(tmp_path: Path) -> Vote:
    (tmp_path / "ein_confidence_table.h").write_text(table("test", SCALE, Calibration()))
    return Vote(tmp_path)


def kinds(slots: Sequence[int], n: int = 0) -> Kinds:
    """Beats of these slots, `n` of each template before them; nothing is replaced."""
    seen = dict.fromkeys(range(SLOTS), n)
    counts = []
    for slot in slots:
        if slot != NO_SLOT:
            seen[slot] += 1
        counts.append(0 if slot == NO_SLOT else seen[slot])
    return Kinds(np.array(slots, np.uint8), np.array(counts, np.uint16))


def random_beats(n: int = 4000) -> tuple[NDArray[np.int8], Kinds]:
    """Logits with both ends of the range; kinds that are replaced now and then, or unknown."""
    rng = np.random.default_rng(2)
    logits = np.clip(np.rint(rng.normal(0, 40, (n, 5))), -128, 127).astype(np.int8)
    slot = rng.choice([*range(SLOTS), NO_SLOT], n).astype(np.uint8)
    counts = kinds(slot.tolist()).slot_beats.copy()
    counts[rng.random(n) < 0.02] = 1
    return logits, Kinds(slot, counts)


def expected(logits: NDArray[np.int8], beats: Kinds, limit: float) -> NDArray[np.float64]:
    """[n] V logits with the vote, not rounded."""
    mean, n, voted = [0.0] * SLOTS, [DOUBT] * SLOTS, []
    for row, slot, count in zip(logits.astype(float), beats.slot, beats.slot_beats, strict=True):
        voted.append(row[V])
        if slot == NO_SLOT:
            continue
        if count == 1:
            mean[slot], n[slot] = 0.0, DOUBT
        voted[-1] += mean[slot]
        n[slot] = min(n[slot] + 1, MEMORY)
        mean[slot] += (np.clip(row[V] - row[OTHERS].max(), -limit, limit) - mean[slot]) / n[slot]
    return np.array(voted)


def test_it_is_the_mean_margin_of_the_kind(vote: Vote) -> None:
    logits, beats = random_beats()
    voted = vote.of(logits, beats)
    assert (voted[:, OTHERS] == logits[:, OTHERS]).all(), "only V is weighed"
    wanted = np.clip(expected(logits, beats, round(VOTE_LIMIT / SCALE)), -128, 127)
    # Means are kept in 1/128 of a step and each update rounds towards zero.
    assert np.abs(voted[:, V] - wanted).max() <= 0.5 + MEMORY / 128
    assert (voted[:, V] != logits[:, V]).mean() > 0.5, "it does something"


def test_of_a_float_network_it_is_the_same(vote: Vote) -> None:
    logits, beats = random_beats()
    voted = vote.of_float(logits * SCALE, beats, VOTE_LIMIT)
    wanted = expected(logits, beats, VOTE_LIMIT / SCALE) * SCALE
    assert np.abs(voted[:, V] - wanted).max() < 0.01
    assert np.abs(voted[:, OTHERS] - logits[:, OTHERS] * SCALE).max() <= 1 / 8192


def test_one_odd_answer_of_a_known_kind_is_outvoted(vote: Vote) -> None:
    normal, ventricular = [20, -60, -10, -60, -80], [5, -60, 12, -60, -80]
    rows = np.array([normal] * 10 + [ventricular], np.int8)
    alone = Kinds(np.zeros(11, np.uint8), np.ones(11, np.uint16))
    assert vote.of(rows, alone)[-1].argmax() == V
    assert vote.of(rows, kinds([0] * 11))[-1].argmax() == CLASSES.index("N")
    assert vote.of(rows, kinds([0] * 10 + [1]))[-1].argmax() == V, "of another kind"
    assert vote.of(rows, kinds([0] * 10 + [NO_SLOT]))[-1].argmax() == V, "of no kind"


def test_a_kind_does_not_convince_itself(vote: Vote) -> None:
    """Undecided answers stay so, however many: the voted ones are not averaged."""
    rows = np.zeros((500, 5), np.int8)
    assert (vote.of(rows, kinds([0] * 500)) == 0).all()
    rows[0, V] = 127
    assert vote.of(rows, kinds([0] * 500))[-1, V] <= 1


def test_a_record_begins_anew_and_a_replaced_template_forgets(vote: Vote) -> None:
    logits, beats = random_beats(400)
    once = vote.of(logits, beats)
    assert np.array_equal(once, vote.of(logits, beats))
    first = kinds([0, 1, 2, 3, 4] * 20)
    twice = Kinds(np.tile(first.slot, 2), np.tile(first.slot_beats, 2))
    rows = np.tile(logits[:100], (2, 1))
    assert np.array_equal(vote.of(rows, twice)[100:], vote.of(logits[:100], first))


def test_logits_saturate(vote: Vote) -> None:
    rows = np.full((40, 5), -128, np.int8)
    rows[:, V] = 127
    assert (vote.of(rows, kinds([0] * 40))[:, V] == 127).all()
    assert (vote.of(-1 - rows, kinds([0] * 40))[:, V] == -128).all()


def test_what_it_needs_and_takes(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="no confidence table"):
        Vote(tmp_path)
    with pytest.raises(ValueError, match="logits"):
        Vote(GENERATED).of(np.zeros((2, 4), np.int8), kinds([0, 0]))
    with pytest.raises(ValueError, match="int8"):
        Vote(GENERATED).of(np.zeros((2, 5), np.int16), kinds([0, 0]))
