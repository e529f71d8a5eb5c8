"""Which signal of a recording is an ECG, and in what unit it is.

Names as MIT-BIH, MIMIC, the PhysioNet challenges, EDF files and cheap recorders write them.
"""

import re
from collections.abc import Sequence

from einthoven.errors import RecordError

DEFAULT_LEAD = "MLII"

_ECG_WORD = re.compile(r"ECG|EKG", re.IGNORECASE)
_LEAD = re.compile(
    r"I{1,3}|D(?:[123]|I{1,3})|L[123]"  # limb leads; D1 and DI as in French and Spanish
    r"|[A]?V[RLF]|-AVR"  # augmented
    r"|V|V[1-9]R?|V(?:10|11|12)|C[1-9]R?"  # chest; V alone as in MIMIC, C1 as in EDF texts
    r"|(?:MOD\.?)?V[1-9]|(?:MOD\.?)?I{1,3}"
    r"|ML(?:I{1,3}|V?\d)|MV\d|MCL\d?|C[MSCRL]\d"  # modified and bipolar leads of monitors, Holters
    r"|V?[XYZ]|[EAS][SI]",  # Frank's, EASI's
    re.IGNORECASE,
)
_ELECTRODES = re.compile(r"(?:RA|LA|LL|RL|R|L|\+|-|\d)*", re.IGNORECASE)
_UNIT_IN_NAME = re.compile(r"[\[(]\s*([^\])]+?)\s*[\])]\s*$")
_OTHER = re.compile(
    r"RESP.*|RR|BREATH.*|THOR.*|ABDO?.*|CHEST.*|EFFORT.*|IMP.*|FLOW.*|AIR.*|NASAL.*|CANNULA.*|SNORE.*"
    r"|A?BP.*|ART.*|[SUR]?ABP.*|PAP.*|CVP.*|ICP.*|LAP|RAP|UAP|UVP|P\d|PRESS.*|NIBP.*|SYS|DIA.*"
    r"|PLETH.*|PPG.*|SP?A?O2.*|SAO2.*|PULS.*|HR|HEART ?RATE|BPM|ETCO2|CO2.*"
    r"|E[MEO]G.*|CHIN.*|LEG.*|TIB.*|LOC|ROC|FP[12Z].*|[FCTPO][Z0-9](?: .*)?|[AM][12]"
    r"|ACC.*|GYR.*|MAG.*|TEMP.*|GSR|EDA|SCR?|POS.*|LIGHT"
    r"|EVENT.*|MARK.*|TRIG.*|STATUS|STIM.*|TIME.*|SAMPLE.*|SECONDS?|ANNOTATION.*"
    r"|[EB]DF ANN.*|INDEX|LABEL.*|DATE.*|ID|BATTERY.*|VOLTAGE OF.*",
    re.IGNORECASE,
)

_PER_MV = {"nv": 1e6, "uv": 1e3, "mv": 1.0, "v": 1e-3}
_WRITTEN_OUT = {
    "nanovolt": "nv",
    "microvolt": "uv",
    "micv": "uv",
    "mcv": "uv",
    "millivolt": "mv",
    "volt": "v",
}
# The micro sign U+00B5 and the Greek letter U+03BC; then what they look like when a text in code
# page 437 (0xE6), Greek (0xEC), GBK and EUC-JP (A6 CC), Shift-JIS (83 CA), EUC-KR (A5 EC), Big5
# (A3 67), or UTF-8 that was converted twice, is read as ISO 8859-1. All in lower case.
_MICRO = ("µ", "μ", "â\x88\x86", "æ", "ì", "¦ì", "\x83ê", "¥ì", "£g", "âµ", "î¼", "ã\x82âµ")


def is_ecg_name(name: str) -> bool:
    """Whether a signal's name says that it is an ECG lead."""
    plain = _plain(name)
    if _OTHER.fullmatch(plain) and not _ECG_WORD.search(plain):
        return False
    if _LEAD.fullmatch(plain.replace(" ", "")):
        return True
    said = _ECG_WORD.search(plain) is not None
    lead = plain.upper().startswith("LEAD")
    rest = _ECG_WORD.sub("", re.sub(r"LEADS?", "", plain, flags=re.IGNORECASE))
    rest = re.sub(r"\b(?:(?:CHANNEL|CH)(?=\d|\b)|(?:SIGNAL|VALUE|RAW|MV|UV|DATA|[AB])\b)", "", rest,
                  flags=re.IGNORECASE)  # fmt: skip
    rest = rest.replace(" ", "")
    return (said or lead) and (
        _LEAD.fullmatch(rest) is not None or _ELECTRODES.fullmatch(rest) is not None
    )


def is_other_name(name: str) -> bool:
    """Whether a signal's name says that it is something else: breathing, pressure, time …"""
    return not is_ecg_name(name) and _OTHER.fullmatch(_plain(name)) is not None


def _plain(name: str) -> str:
    """Without the unit in brackets, and with blanks for what separates words."""
    bare = _UNIT_IN_NAME.sub("", name)
    return " ".join(re.sub(r"[\s_:/.,]+|-(?=\w)", " ", bare).split())


def _lead_alone(name: str) -> str:
    """A lead as people call it, where EDF's labels say `ECG` before it; all of any other name."""
    words = [w for w in _plain(name).upper().split() if w not in ("ECG", "EKG", "LEAD")]
    return " ".join(words) or name.upper()


def units_per_mv(units: str) -> float | None:
    """How many of `units` make a millivolt; None where it is no voltage that is known.

    µ is understood in any encoding that `header.read_text` may have misread.
    """
    key = units.strip().strip("\0").lower()
    for micro in _MICRO:
        if key.startswith(micro):
            key = "u" + key[len(micro) :]
            break
    if key == "u":
        key = "uv"
    key = re.sub(r"s$", "", key.replace(" ", ""))
    return _PER_MV.get(_WRITTEN_OUT.get(key, key))


def require_units(units: str, lead: str, record: str) -> float:
    """`units_per_mv`, or RecordError that names the unit."""
    per_mv = units_per_mv(units)
    if per_mv is None:
        said = (
            f"is in {units!r}, which is no voltage that is known"
            if units.strip()
            else ("has no unit")
        )
        raise RecordError(
            f"record {record}: the lead {lead} {said} (nV, uV, mV, V): choose another lead, or "
            "say what it is with --units"
        )
    return per_mv


def unit_in_name(name: str) -> str | None:
    """The unit that a column's name carries, as in `ECG (uV)` or `ecg_mv`; None without."""
    bracket = _UNIT_IN_NAME.search(name)
    if bracket:
        return bracket[1]
    word = re.search(r"[_ ]([num]?v)$", name, re.IGNORECASE)
    return word[1] if word and _ECG_WORD.search(name) else None


def choose_lead(names: Sequence[str], units: Sequence[str], record: str, lead: str | None) -> int:
    """Number of the signal named `lead`; None: the default.

    In any case, and with or without `ECG` or `lead` before it. The default is MLII, else the first
    whose name says that it is an ECG lead, else the first whose name says nothing, with a voltage
    for a unit. Raises RecordError, naming what there is.
    """
    if lead is not None:
        return _by_name(names, record, lead)
    for index, name in enumerate(names):
        if name.upper() == DEFAULT_LEAD:
            return index
    voltages = [i for i, unit in enumerate(units) if units_per_mv(unit) is not None]
    ecg = [i for i, name in enumerate(names) if is_ecg_name(name)]
    for candidates in (
        [i for i in ecg if i in voltages],
        [i for i in voltages if not is_other_name(names[i])],
        ecg,  # in a unit that is not known, which the error names
    ):
        if candidates:
            return candidates[0]
    raise RecordError(
        f"record {record} has no ECG signal that is known by its name: it has "
        f"{', '.join(names)}: name one with --lead"
    )


def _by_name(names: Sequence[str], record: str, lead: str) -> int:
    def key(name: str) -> str:
        return " ".join(name.upper().split())

    for same in (key, lambda name: key(_plain(name)), _lead_alone):
        for index, name in enumerate(names):
            if same(name) == same(lead):
                return index
    raise RecordError(f"record {record} has no lead {lead}: it has {', '.join(names)}")
