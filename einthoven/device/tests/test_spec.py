"""The table of patterns and alarms, and that no alarm is on without figures."""

import json
from pathlib import Path

import pytest

from einthoven.device.card import ALARM_HEADINGS, alarm_cells, html, shown, text_rows
from einthoven.device.spec import Alarm, load
from einthoven.errors import UsageError
from einthoven.paths import DEVICE_SPEC, ROOT
from einthoven.wire.schema import schema

SPEC = load()
VERDICTS = [p for p in SPEC.patterns if p.name.startswith("verdict_")]


def _reaches_the_goal(alarm: Alarm) -> bool:
    measured = json.loads((ROOT / "docs/results/rhythm/alarms.json").read_text())["kinds"]
    if not alarm.evidence:
        return False
    row, goals = measured[alarm.evidence], SPEC.numbers["alarms"]
    return all(
        100 * row[key]["hits"] >= goals[goal] * row[key]["n"]
        for key, goal in (("true_raised", "goal_true"), ("false_not_raised", "goal_false"))
    )


@pytest.mark.parametrize("alarm", SPEC.alarms, ids=lambda a: a.name)
def test_an_alarm_is_on_by_default_only_where_its_figures_reach_the_goal(alarm: Alarm) -> None:
    assert alarm.on == _reaches_the_goal(alarm)


def test_verdicts_can_be_told_apart_by_light_alone_and_by_sound_alone() -> None:
    assert len(VERDICTS) == 4
    for channel in ("led", "buzzer"):
        marks = [getattr(p, channel).rstrip(".") for p in VERDICTS]
        assert len(set(marks)) == 4, channel
    flashes = {p.name: len(p.led.strip(".").replace(".", " ").split()) for p in VERDICTS}
    assert sorted(flashes.values()) == [1, 2, 3, 6]


def test_patterns_that_hold_differ_in_light() -> None:
    held = [p.led for p in SPEC.patterns if p.times == 0]
    assert len(set(held)) == len(held)


def test_steps_are_the_pattern() -> None:
    for pattern in SPEC.patterns:
        assert sum(slots for slots, _, _ in pattern.steps) == len(pattern.led)
        drawn = "".join(("#" if led else ".") * slots for slots, led, _ in pattern.steps)
        assert drawn == pattern.led


def test_modes_are_the_same_on_the_wire() -> None:
    assert schema().enums["device_mode"] == SPEC.numbers["mode"]


def test_the_card_says_every_pattern_and_alarm() -> None:
    page = html(SPEC)
    for pattern in shown(SPEC):
        assert f'aria-label="{pattern.name}"' in page
    rows = list(text_rows(SPEC))
    assert len(rows) == len(shown(SPEC)) >= 15
    assert [row[2] for row in rows][:2] == [p.says for p in shown(SPEC)][:2]
    assert all(len(alarm_cells(a)) == len(ALARM_HEADINGS) for a in SPEC.alarms)
    assert "Not a medical device" in page and "<script" not in page and "http:" not in page


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ('led = "##"', 'led = "#x"', "beat: led is of # and"),
        ('buzzer = "m..m"', 'buzzer = "m.......m"', "begin: its buzzer goes on"),
        ('text = "Ready"', 'text = "Ready for a strip"', "more than 16 characters"),
        ('raised_by = ["vf"]', 'raised_by = ["vfib"]', "rhythm.toml knows no"),
        ("debounce_ms = 30", "debounce_ms = 3.5", "no whole number"),
        ('name = "noisy"', 'name = "beat"', "a name is there twice"),
        ("rank = 4", "ranc = 4", "incomplete"),
        ("[mode]", "[mode", "cannot read"),
    ],
)
def test_a_wrong_table_is_one_line(old: str, new: str, what: str, tmp_path: Path) -> None:
    text = DEVICE_SPEC.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "device.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(UsageError, match=what):
        load(path)
