"""The page's first tables: each study's network beside ours, and one network scored both ways."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from einthoven.training.studies.page import published
from einthoven.training.studies.page.cardiacnet import PATIENTS, mean_and_span
from einthoven.training.studies.page.tables import (
    DASH,
    class_span,
    epochs,
    percent,
    prose,
    span,
    table,
    three,
)
from einthoven.training.studies.shared.results import Result

Words = Callable[[dict[str, Any]], str]


@dataclass(frozen=True)
class Measure:
    """What stands in a row, and its interval."""

    name: str
    words: Words
    interval: Words


def _infarction(scores: dict[str, Any]) -> str:
    f1 = three(scores["per_class"]["MI"]["f1"])
    return f"{percent(scores['accuracy'])} / {f1} / {three(scores['macro_f1'])}"


def _transfer(scores: dict[str, Any]) -> str:
    mi = scores["per_class"]["MI"]
    return f"{percent(scores['accuracy'])} / {percent(mi['ppv'])} / {percent(mi['se'])}"


ACCURACY = Measure(
    "accuracy", lambda s: percent(s["accuracy"]), lambda s: span(s, "accuracy")
)  # fmt: skip
MEAN_RECALL = Measure(
    "mean recall",
    lambda s: percent(s["balanced_accuracy"]),
    lambda s: span(s, "balanced_accuracy"),
)
BEATS = Measure(
    "accuracy / **macro-F1**",
    lambda s: f"{percent(s['accuracy'])} / {three(s['macro_f1'])}",
    lambda s: span(s, "macro_f1"),
)
INFARCTION = Measure(
    "accuracy / **F1 of MI** / macro-F1", _infarction, lambda s: class_span(s, "MI", "f1")
)
TRANSFER = Measure(
    "**accuracy** / precision / recall", _transfer, lambda s: span(s, "accuracy")
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A network and task of a study; of the recipes, the first that has a result counts."""

    network: str
    measure: Measure
    study: str
    own: tuple[str, ...]
    inter: tuple[str, ...]


def networks() -> Iterable[Row]:
    """In the order of the studies; study 2's own protocol is `_patients`."""
    yield Row(
        "1 transferable, arrhythmia", MEAN_RECALL,
        f"{percent(published.TRANSFERABLE)} on balanced classes",
        ("transferable_balanced",), ("transferable_inter",),
    )  # fmt: skip
    yield Row(
        "1 the same, plain", BEATS, DASH, ("transferable_random",), ("transferable_inter",)
    )  # fmt: skip
    yield Row(
        "1 transferable, infarction", TRANSFER, " / ".join(map(percent, published.TRANSFER)),
        ("transferable_ptb_random", "transferable_mi_random"),
        ("transferable_ptb", "transferable_mi"),
    )  # fmt: skip
    yield Row(
        "2 CardiacNet, one for all", MEAN_RECALL, DASH, ("cardiacnet_random",),
        ("cardiacnet_inter",),
    )  # fmt: skip
    for name, title in (
        ("baseline", "3 Baseline CNN"),
        ("residual", "3 Residual CNN"),
        ("deep", "3 Deep Residual CNN"),
    ):
        accuracy, f1 = published.BEATS[name]
        yield Row(
            f"{title}, MIT-BIH", BEATS, f"{percent(accuracy)} / {three(f1)}",
            (f"{name}_random",), (f"{name}_inter",),
        )  # fmt: skip
        stated = published.INFARCTION[f"{name}_mi"]
        its = stated.rates()
        yield Row(
            f"{title}, PTB", INFARCTION,
            f"{percent(stated.accuracy)} / {three(its['mi_f1'])} / {three(its['macro_f1'])}",
            (f"{name}_mi_random",), (f"{name}_mi",),
        )  # fmt: skip
    yield Row(
        "4 VGG16", ACCURACY, percent(published.IMAGES[0]), ("vgg16_imagenet", "vgg16_random"),
        ("vgg16_inter",),
    )  # fmt: skip


def side_by_side(found: dict[str, Result]) -> str:
    """A row per network: the study's figure, ours under its protocol, ours on other patients."""
    rows = []
    for row in networks():
        own, inter = (_first(found, names) for names in (row.own, row.inter))
        if own is None and inter is None:
            rows.append((row.network, row.measure.name, row.study, *[DASH] * 8))
            continue
        rows.append(
            (
                row.network, row.measure.name, row.study, *_half(own, row.measure),
                *_half(inter, row.measure),
            )
        )  # fmt: skip
    at = next(i for i, row in enumerate(rows) if row[0].startswith("2"))
    rows[at:at] = _patients(found)
    head = (
        "study and network", "measure", "study states", "ours, its protocol: float", "int8",
        "95 %", "epochs", "ours, inter-patient: float", "int8", "95 %", "epochs",
    )  # fmt: skip
    text = prose(
        "The left half is under the study's own protocol, a random split of beats or windows, "
        "intra-patient; the right half on patients that the network never saw. The interval is the "
        "float network's, of the measure in bold if there are several. What PTB's rows stand on is "
        "said in study 1's section, what F1 study 3 states in its own, and what VGG16's "
        "convolutions are here in study 4's. A dash: the study states none, or it was not run; the "
        "recipes are at the end of the page."
    )
    return f"{text}\n\n{table(head, rows, left=2)}"


def _first(found: dict[str, Result], names: tuple[str, ...]) -> Result | None:
    return next((found[name] for name in names if name in found), None)


def _half(result: Result | None, measure: Measure) -> tuple[str, str, str, str]:
    if result is None:
        return DASH, DASH, DASH, DASH
    return (
        measure.words(result.float32),
        measure.words(result.int8) if result.int8 is not None else DASH,
        measure.interval(result.float32),
        epochs(result),
    )


def _patients(found: dict[str, Result]) -> list[tuple[str, ...]]:
    """Study 2's own protocol: means over records, whose intervals resample records."""
    result = found.get(PATIENTS)
    rows: list[tuple[str, ...]] = []
    for column, title in (("individual", "individual"), ("tuned_all", "fine-tuned")):
        halves = [
            (*mean_and_span(result, key), "≤ " + str(result.epochs))
            if result is not None and key in result.extra["mean"]
            else (DASH,) * 4
            for key in (column, "generic_others" if column == "tuned_all" else "")
        ]
        stated = published.PATIENTS[column][0]
        words = "mean over patients of balanced accuracy"
        rows.append((f"2 CardiacNet, {title}", words, percent(stated), *halves[0], *halves[1]))
    return rows


def random_splits_hide(found: dict[str, Result]) -> str:
    """One network scored both ways, class by class."""
    pairs = [
        (found[n], found[n.replace("_random", "_inter")])
        for n in ("transferable_random", "residual_random", "baseline_random")
        if n in found and n.replace("_random", "_inter") in found
    ]
    if not pairs:
        return ""
    intra, inter = pairs[0]
    rows = []
    for name in intra.classes:
        a, b = (r.float32["per_class"][name] for r in (intra, inter))
        rows.append(
            (name, str(a["n"]), three(a["se"]), three(a["ppv"]), three(a["f1"]),
             str(b["n"]), three(b["se"]), three(b["ppv"]), three(b["f1"]))
        )  # fmt: skip
    head = ("class", "beats", "Se", "+P", "F1", "beats", "Se", "+P", "F1")
    all_n = inter.float32["per_class"]["N"]["n"] / inter.float32["n"]
    text = prose(
        f"The same network (`{intra.network}`, {intra.params:,} parameters) and preprocessing, "
        "scored both ways. On a random split of beats it has macro-F1 "
        f"{three(intra.float32['macro_f1'])} and accuracy {percent(intra.float32['accuracy'])}; on "
        f"patients it never saw {three(inter.float32['macro_f1'])} and "
        f"{percent(inter.float32['accuracy'])}, where calling every beat N gives "
        f"{percent(all_n)}. A random split puts four fifths of every patient's beats into the "
        "training set, and a patient's beats are nearly copies of each other: the network "
        "recognises the patient and recalls their labels. Of S and F, which a handful of patients "
        "have, little else is learnt; Q is almost only the pacemakers' beats, whose patients DS1 "
        "and DS2 leave out. Part of the difference is that DS1 holds half of the patients and "
        "beats; that a beat alone does not show its timing costs both. A device meets patients "
        "that are not in its training set, so only the right half says what it would do."
    )
    both = prose(
        f"Left: `{intra.name}`, intra-patient, {epochs(intra)} epochs. Right: `{inter.name}`, "
        f"inter-patient, {epochs(inter)} epochs. Float."
    )
    return f"## What random splits of beats hide\n\n{text}\n\n{both}\n\n{table(head, rows)}"
