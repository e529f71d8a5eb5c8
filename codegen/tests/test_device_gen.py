"""The device's table in C: what the bytes of its patterns mean."""

import re

from einthoven.codegen.device import generate
from einthoven.device.spec import TONES, load

SPEC = load()


def test_the_bytes_are_the_patterns() -> None:
    table = generate(SPEC)["ein_device_table.h"]
    found = re.search(r"ein_device_steps\[\d+\] = \{([^}]*)\}", table)
    assert found is not None
    steps = [int(code, 16) for code in re.findall(r"0x(\w\w)", found[1])]
    tones = {value: mark for mark, value in TONES.items()}
    rows = re.findall(r'\{"([^"]*)", (\d+), (\d+), (\d+), (\d+)\}', table)
    assert len(rows) == len(SPEC.patterns)
    for (text, first, count, rank, times), pattern in zip(rows, SPEC.patterns, strict=True):
        own = steps[int(first) : int(first) + int(count)]
        assert "".join(".#"[code >> 5 & 1] * (code & 31) for code in own) == pattern.led
        assert "".join(tones[code >> 6] * (code & 31) for code in own) == pattern.buzzer
        assert (text, int(rank), int(times)) == (pattern.text, pattern.rank, pattern.times)


def test_alarms_on_are_bits() -> None:
    constants = generate(SPEC)["ein_device_spec.h"]
    found = re.search(r"EIN_DEVICE_ALARMS_ON 0x(\w+)u", constants)
    assert found is not None
    on = {i for i, alarm in enumerate(SPEC.alarms) if alarm.on}
    assert {i for i in range(16) if int(found[1], 16) >> i & 1} == on
