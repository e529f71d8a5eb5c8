"""Beat classes of ANSI/AAMI EC57, the two ways to map labels to them, and the standard splits.

The two mappings differ where the standard's program and the machine-learning literature do:
an escape beat (e, j, n) counts as S in EC57's tables and as N in the literature.
"""

from typing import Final

CLASSES: Final = ("N", "S", "V", "F", "Q")
"""Class names in the order of the model's outputs: normal, supraventricular ectopic,
ventricular ectopic, fusion, unclassifiable."""

_LITERATURE: Final = {
    **dict.fromkeys("NLRBejn", "N"),
    **dict.fromkeys("AaJS", "S"),
    **dict.fromkeys("VEr", "V"),
    "F": "F",
    **dict.fromkeys("/fQ?", "Q"),
}
# B, n, r and ? do not occur in MIT-BIH; they go with their kind.

_EC57: Final = {**_LITERATURE, **dict.fromkeys("ejn", "S")}

BEAT_SYMBOLS: Final = frozenset(_EC57)
"""WFDB symbols that mark a beat; everything else is rhythm, noise, flutter wave or comment."""

DS1: Final = (
    *("101", "106", "108", "109", "112", "114", "115", "116", "118", "119", "122"),
    *("124", "201", "203", "205", "207", "208", "209", "215", "220", "223", "230"),
)
"""Training records of de Chazal, O'Dwyer, Reilly 2004 (doi:10.1109/TBME.2004.827359), table I."""

DS2: Final = (
    *("100", "103", "105", "111", "113", "117", "121", "123", "200", "202", "210"),
    *("212", "213", "214", "219", "221", "222", "228", "231", "232", "233", "234"),
)
"""Test records of the same paper: other patients than DS1's, except 201 (DS1) and 202 (DS2)."""

PACED: Final = ("102", "104", "107", "217")
"""MIT-BIH records with paced beats, which EC57 exempts; in neither DS1 nor DS2."""


def literature_class(symbol: str) -> str | None:
    """Class of a WFDB beat symbol as the DS1/DS2 literature counts it; None if it is no beat.

    N: N L R B e j n; S: A a J S; V: V E r; F: F; Q: / f Q ? (de Chazal 2004).
    """
    return _LITERATURE.get(symbol)


def ec57_class(symbol: str) -> str | None:
    """Class of a WFDB beat symbol as PhysioNet's `bxb -L` counts it; None if it is no beat.

    As `literature_class`, but escape beats e, j, n are S (WFDB Applications Guide, bxb).
    """
    return _EC57.get(symbol)
