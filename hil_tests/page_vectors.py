"""What the page's decoders of a log and its proofs must give: `web/tests/vectors.json`.

Logs that the device's own C wrote, read by it and by Python. The file is written by
`python -m einthoven.hil_tests.page_vectors`; a test compares it.
"""

import json
from typing import Any

import numpy as np

from einthoven.device_log.copy import LogCopy, Place
from einthoven.device_log.description import Device
from einthoven.device_log.reader import read_log
from einthoven.device_log.testing import device_written_log
from einthoven.fleet.proof import Challenge
from einthoven.native.log import Log, decode_ecg, scan
from einthoven.native.log_spec import load
from einthoven.no_arguments import no_arguments
from einthoven.paths import WEB

FILE = WEB / "tests" / "vectors.json"


def vectors() -> dict[str, Any]:
    """Sectors with their records, whole and damaged; pieces of ECG; a log; proofs."""
    log, _, _ = device_written_log()
    (used, *_) = [s for s in log.sectors if scan(s) is not None]
    whole = used[: len(used.rstrip(b"\xff")) + 3 & ~3]
    torn = bytearray(whole)
    torn[40] ^= 0x10  # a record, an ECG's piece, and the end are damaged
    torn[600] ^= 1
    del torn[-6:]
    return {
        "sectors": [_sector(whole), _sector(bytes(torn)), _sector(whole[:20]), _sector(_long())],
        "pieces": _pieces(whole) + _pieces(_extremes()),
        "log": _log(whole),
        "proofs": _proofs(),
    }


def _sector(sector: bytes) -> dict[str, Any]:
    found = scan(sector)
    if found is None:
        return {"bytes": sector.hex(), "records": None}
    return {
        "bytes": sector.hex(),
        "sequence": found.sequence,
        "records": [
            {
                **{"offset": r.offset, "kind": r.kind, "boot": r.boot, "t_s": r.t_s},
                "payload": r.payload.hex(),
                "fields": _fields(r.kind, r.payload),
            }
            for r in found.records
        ],
        "damaged": [list(d) for d in found.damaged],
    }


def _fields(code: int, payload: bytes) -> dict[str, Any]:
    kind = load().kind(code)
    assert kind is not None
    values = kind.unpack(payload)
    return {k: v.hex() if isinstance(v, bytes) else v for k, v in values.items()}


def _long() -> bytes:
    """Seconds beyond 16 bits, anchors between, values that are as large and as small as can be."""
    log = Log(sectors=2, sector_bytes=1024)
    log.append("event", 90_000_000, event=6, detail=3, value=4_294_967_295)
    log.append("time_set", 190_000_000, unix_s=1, drift_ppb=-2_147_483_648, span_s=9)
    log.append("minute", 260_000_000, normal=255, rr_mean_4ms=1023, lost_samples=65535)
    return bytes(log.sectors[0]).rstrip(b"\xff")


def _extremes() -> bytes:
    rng = np.random.default_rng(5)
    samples = rng.integers(-32768, 32768, 300).astype(np.int16)
    samples[:6] = (-32768, 32767, -32768, 32767, 0, 0)
    log = Log(sectors=2, sector_bytes=4096)
    log.ecg(1, samples, 1000)
    return bytes(log.sectors[0])


def _pieces(sector: bytes) -> list[dict[str, Any]]:
    kind = next(k for k in load().kinds if k.name == "ecg")
    found = scan(sector)
    assert found is not None
    pieces = []
    for record in [r for r in found.records if r.kind == kind.code][:3]:
        fields: dict[str, Any] = dict(record.fields(kind))
        code = fields.pop("code_bytes")
        for cut in (len(code), len(code) // 2):
            samples = decode_ecg({**fields}, code[:cut])
            told = {"fields": fields, "code": code[:cut].hex()}
            pieces.append({**told, "samples": samples.tolist()})
    return pieces


def _log(sector: bytes) -> dict[str, Any]:
    copy = LogCopy(Device(lsb_per_mv=200))
    found = scan(sector)
    assert found is not None
    copy.add(Place(found.sequence, 0), sector)
    read = read_log(copy)
    (strip,) = read.strips
    assert strip.verdict is not None
    return {
        "sequence": found.sequence,
        "bytes": sector.hex(),
        "strip": {
            **{"name": strip.name, "seconds": strip.at.seconds, "gain": strip.lsb_per_mv},
            **{"complete": strip.complete, "verdict": strip.verdict.verdict},
            "samples": strip.samples.tolist(),
        },
        "minutes": [
            [m.at.boot, m.at.seconds, m.seconds, list(m.beats), m.rr_mean_ms, m.readable]
            for m in read.minutes
        ],
        "episodes": [
            [e.begin.boot, e.begin.seconds, None if e.end is None else e.end.seconds]
            for e in read.episodes
        ],
        "times": [[t.at.boot, t.at.seconds, t.unix_s] for t in read.times],
    }


def _proofs() -> list[dict[str, str]]:
    found = []
    for serial in ("", "D-1", "0123456789ABCDEF01234567", "longer than an identity can be"):
        key, host, device = (bytes(range(n, n + 32)) for n in (0, 64, 128))
        asked = Challenge(serial, host, device)
        theirs = asked._mac(key, b"einthoven dev  1")
        assert asked.is_device_proof(key, theirs)
        found.append(
            {
                **{"serial": serial, "key": key.hex(), "host": host.hex(), "device": device.hex()},
                **{"hostProof": asked.host_proof(key).hex(), "deviceProof": theirs.hex()},
            }
        )
    return found


def text() -> str:
    """Of the file."""
    return json.dumps(vectors(), separators=(",", ":")) + "\n"


if __name__ == "__main__":
    no_arguments(__doc__)
    FILE.write_text(text(), encoding="ascii")
