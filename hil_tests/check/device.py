"""What belongs to a device that works alone: its own check, battery, log, key; and the watchdog."""

import time
from collections.abc import Iterator, Mapping
from typing import Any

from einthoven.boards.patience import Patience
from einthoven.device.spec import load
from einthoven.errors import BoardError, KeysError, LinkError
from einthoven.fleet.checked import Item
from einthoven.fleet.proof import fingerprint
from einthoven.hil_tests.harness.alone import DeviceStatus, status
from einthoven.hil_tests.harness.device import Device

_CHECK_S = 15.0
"""Patience with a device's own check, which takes 5 s after it was switched on."""
_POLL_S = 0.2


def key(device: Device, wanted: bytes | None) -> Iterator[Item]:
    """Whether it has the fleet's key and no other; opens it if so."""
    state = device.key_state()
    if wanted is None:
        yield Item(
            name="key",
            passed=None if state == "none" else False,
            measured="n/a: it has none, and the fleet file names none"
            if state == "none"
            else f"{state}, and the fleet file does not say where it is kept",
        )
        return
    limit = f"the fleet's, {fingerprint(wanted)}"
    if state == "none":
        yield Item(name="key", passed=False, measured="it has none: flash it", limit=limit)
        return
    try:
        device.unlock(wanted)
    except KeysError as error:
        yield Item(name="key", passed=False, measured=str(error), limit=limit)
        return
    yield Item(name="key", passed=True, measured=f"it proves {fingerprint(wanted)}", limit=limit)


def settled(device: Device) -> DeviceStatus:
    """Its status once its own check is over. Raises BoardError if it records."""
    now = status(device)
    patience = Patience(device.url, _CHECK_S)
    while now.mode == "check" and not patience.over:
        time.sleep(_POLL_S)
        patience.look(_POLL_S)
        now = status(device)
    if now.mode in ("strip", "continuous"):
        raise BoardError("it is recording: end that first (einthoven device … --mode ready)")
    return now


def own_check(now: DeviceStatus) -> Item:
    """What it found when it was switched on."""
    return Item(
        name="own check",
        passed=not now.faults and now.mode != "check",
        measured=", ".join(now.faults) + " bad" if now.faults else f"nothing bad, mode {now.mode}",
        limit="nothing bad",
    )


def battery(now: DeviceStatus) -> Item:
    """Its cell."""
    low = load().numbers["battery"]["low_mv"]
    if now.battery_mv == 0:
        return Item(name="battery", passed=None, measured="n/a: this board cannot measure it")
    share = "" if now.battery_percent is None else f", {now.battery_percent} %"
    return Item(
        name="battery",
        passed=now.battery_mv > low,
        measured=f"{now.battery_mv} mV{share}",
        limit=f"above {low} mV",
    )


def log(before: Mapping[str, Any], after: Mapping[str, Any]) -> Item:
    """Whether the log has taken what a restart writes into it."""
    if not after["sectors"]:
        return Item(
            name="log", passed=False, measured="it has no sectors", limit="it keeps records"
        )
    grown = after["records"] - before["records"]
    boots = after["boot"] - before["boot"]
    return Item(
        name="log",
        passed=bool(after["ready"]) and grown > 0 and boots == 1 and after["lost"] == 0,
        measured=f"{after['bytes'] // 1024} KB in {after['sectors']} sectors, "
        f"{'ready' if after['ready'] else 'not ready'}, a restart added {grown} records and "
        f"{boots} boot, {after['lost']} lost",
        limit="ready, with the restart in it, none lost",
    )


def watchdog(device: Device, has_one: bool) -> Item:
    """Whether a program that stands still is restarted."""
    name, words = "watchdog", "restarts a program that stands still, and says so"
    if not has_one:
        return Item(name=name, passed=None, measured="n/a: its board.toml says that it has none")
    began = time.monotonic()
    try:
        reason = device.hang()
    except LinkError as error:
        return Item(name=name, passed=False, measured=f"it did not come back: {error}", limit=words)
    return Item(
        name=name,
        passed=reason == "watchdog",
        measured=f"back after {time.monotonic() - began:.1f} s, reason {reason}",
        limit=words,
    )
