"""README.md's table of results: the few figures that a reader asks for first."""

from collections.abc import Mapping, Sequence
from typing import Any

from einthoven.aami import DS2
from einthoven.report.summary import restored
from einthoven.scoring.comparison import gross
from einthoven.training.data.dataset import ADC_BITS
from einthoven.training.evidence.measured import noise
from einthoven.training.evidence.measured.adapted import adapted_results
from einthoven.training.evidence.measured.rivals import PROTOCOLS, WAYS
from einthoven.training.evidence.measured.rivals import read as read_osea
from einthoven.training.evidence.pages import detector
from einthoven.training.evidence.pages.goals import DS1_ONLY, SHIPPED
from einthoven.training.markdown import f1_cell, percent, spread, table

GQRS_EC57 = {"se": 0.9974, "ppv": 0.9972}
"""PhysioNet's gqrs on the 48 records, measured once, elsewhere, by the same rules."""


def results_table(results: Sequence[Mapping[str, Any]], shipped: Mapping[str, Any]) -> str:
    """Detection, V and S with what they compare with."""
    found, osea = detector.read(), read_osea()
    rows = []
    for protocol, ours in (("ec57", found["groups"][0]["ec57"]), ("whole", found["whole"])):
        rival = f"OSEA {_pair(gross(osea[protocol].values()).qrs.to_dict())}"
        if protocol == "ec57":
            rival += f", gqrs {_pair(GQRS_EC57)}"
        rows.append([f"QRS, 48 records, {PROTOCOLS[protocol]}: Se/+P %", _pair(ours), rival])
    detail = shipped["detail"]
    for protocol, title in PROTOCOLS.items():
        total = gross(restored(e[protocol]) for e in detail)
        rival_total = gross(osea[protocol][r] for r in DS2)
        for name, _, rate in WAYS.values():
            ours, theirs = (_triple(rate(s).to_dict()) for s in (total, rival_total))
            rows.append([f"{name}, DS2, {title}: Se/+P %, F1", ours, f"OSEA {theirs}"])
    for protocol, title in PROTOCOLS.items():
        s_rate = gross(restored(e[protocol]) for e in detail).literature_rate("S").to_dict()
        rows.append([f"S, DS2, {title}: Se/+P %, F1", _triple(s_rate), "OSEA does not tell S"])
    for recipe, name in ((SHIPPED, "the shipped recipe"), (DS1_ONLY, "trained on DS1 only")):
        runs = [r["variants"][r["method"]]["whole"] for r in results if r["recipe"] == recipe]
        v, s = (spread([r[c]["f1"] for r in runs]) for c in ("V", "S"))
        rows.append([f"{name}, {len(runs)} seeds, whole records: F1 of V; S, mean (range)"])
        rows[-1] += [f"{v}; {s}", ""]
    adapted = [kept["adaptation"]["gross"]["adapted"] for kept in adapted_results().values()]
    if adapted:
        v, s = (spread([side[c]["f1"] for side in adapted]) for c in ("V", "S"))
        name = (
            "with a head fitted to five labelled minutes of each patient, the other 25: F1 of V; S"
        )
        rows.append([name, f"{v}; {s}", ""])
    return table(("", "Einthoven", "for comparison"), rows)


def noise_rows() -> str:
    """F1 in noise, 16 bits as the rivals had and 12 as a board has."""
    kept, rivals = noise.read(), noise.RIVALS
    rows = []
    for kind, name in (("qrs", "QRS"), ("veb", "V, patients not trained on")):
        for bits in noise.BITS:
            values = noise.f1(kept, noise.UNSEEN, bits, kind)
            by = f"{name}, {bits} bits" + (", as a board has them" if bits == ADC_BITS else "")
            rows.append([by, *(f1_cell(v) for v in values)])
        for rival, measured in rivals.items():
            if kind in measured:
                cells = [f1_cell(v) for v in measured[kind]]
                rows.append([f"{name.split(',')[0]}, {rival}, 16 bits", *cells])
    return table(("F1 at dB", *map(str, noise.SNRS_DB.values())), rows)


def _pair(rate: Mapping[str, Any]) -> str:
    return f"{percent(rate['se'], 2)} / {percent(rate['ppv'], 2)}"


def _triple(rate: Mapping[str, Any]) -> str:
    return f"{percent(rate['se'])} / {percent(rate['ppv'])}, {f1_cell(rate['f1'])}"
