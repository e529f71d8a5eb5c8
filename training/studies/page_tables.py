"""The tables that all studies share on the page: every figure is a result's."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from training.studies.published import PUBLISHED
from training.studies.results import Result

DASH = "–"


def table(head: Sequence[str], rows: Iterable[Sequence[str]], left: int = 1) -> str:
    """A Markdown table; the first `left` columns are text, the others numbers."""
    line = "|".join(["---"] * left + ["---:"] * (len(head) - left))
    body = "\n".join("| " + " | ".join(row) + " |" for row in rows)
    return "| " + " | ".join(head) + f" |\n|{line}|\n{body}"


def prose(text: str) -> str:
    """A paragraph in lines of 100 characters."""
    return textwrap.fill(text, 100, break_long_words=False, break_on_hyphens=False)


def percent(value: float | None) -> str:
    """98.71 %"""
    return DASH if value is None else f"{100 * value:.2f} %"


def three(value: float | None) -> str:
    """.923"""
    return DASH if value is None else f"{value:.3f}".replace("0.", ".", 1)


def span(scores: dict[str, Any], key: str) -> str:
    """An interval, or a dash where the source does not name patients."""
    if scores["intervals_95"] is None:
        return DASH
    low, high = scores["intervals_95"][key]
    return f"{three(low)}–{three(high)}"


def epochs(result: Result) -> str:
    """How far a training went: 15, or 5 of 15."""
    full = result.epochs == result.epochs_full
    return str(result.epochs) if full else f"{result.epochs} of {result.epochs_full}"


def of_beats(found: dict[str, Result]) -> list[Result]:
    """Results that have accuracy and the like over examples, sorted by study and recipe."""
    return sorted(
        (r for r in found.values() if "macro_f1" in r.float32), key=lambda r: (r.study, r.name)
    )


def side_by_side(found: dict[str, Result]) -> str:
    """Study's figure, ours float and int8, with intervals."""
    rows = []
    for r in of_beats(found):
        stated = PUBLISHED.get(r.name)
        study = DASH
        if stated is not None:
            study = percent(stated.accuracy)
            study += f" / {three(stated.macro_f1)}" if stated.macro_f1 is not None else ""
        quantized = DASH
        if r.int8 is not None:
            quantized = f"{percent(r.int8['accuracy'])} / {three(f1_of(r.int8))}"
        real = f"{percent(r.float32['accuracy'])} / {three(f1_of(r.float32))}"
        rows.append(
            (
                f"`{r.name}`", r.split, study, real, quantized, f1_span(r.float32),
                three(r.float32["balanced_accuracy"]), f"{r.float32['n']:,}", epochs(r),
            )
        )  # fmt: skip
    head = (
        "recipe", "split", "study: accuracy / F1", "float", "int8", "95 % of F1 (float)",
        "mean recall", "scored", "epochs",
    )  # fmt: skip
    text = prose(
        "Accuracy and F1: of five classes the mean of their F1 (macro-F1), of two the second "
        "one's, as the studies have it. The studies' figures are of random splits of beats."
    )
    return f"{text}\n\n{table(head, rows, left=2)}"


def f1_of(scores: dict[str, Any]) -> float | None:
    """Macro-F1, or of two classes the second one's F1."""
    by_class = list(scores["per_class"].values())
    found: float | None = scores["macro_f1"] if len(by_class) > 2 else by_class[1]["f1"]
    return found


def f1_span(scores: dict[str, Any]) -> str:
    """The interval of macro-F1; a dash for two classes."""
    return span(scores, "macro_f1") if len(scores["per_class"]) > 2 else DASH


def chip_table(found: dict[str, Result]) -> str:
    """What each network costs on the emulated STM32F405, and where it fits."""
    rows = []
    for r in sorted(found.values(), key=lambda r: (r.study, r.name)):
        b = r.board
        if b is None:
            continue
        if "beats" in b:
            exact = f"{b['beats']} of {b['beats']}"
            if b["differing_values"]:
                exact = f"no: {b['differing_values']} values differ"
            cost = f"{b['instructions']:,}"
        else:
            exact, cost = DASH, DASH
        over = [
            f"{what} by {b[key]:,} bytes"
            for what, key in (("flash", "over_flash_bytes"), ("RAM", "over_ram_bytes"))
            if b[key]
        ]
        where = ", ".join(b["fits"]) or "none"
        where += f"; exceeds the STM32F405's {' and '.join(over)}" if over else ""
        rows.append(
            (
                f"`{r.name}`", f"{r.params:,}", f"{r.macs:,}",
                f"{r.tflite_bytes:,}" if r.tflite_bytes else DASH, f"{b['arena_bytes']:,}",
                f"{b['ram_bytes']:,}", f"{b['flash_bytes']:,} ({b['optimize']})",
                cost, exact, where,
            )
        )  # fmt: skip
    head = (
        "recipe", "parameters", "multiply-adds", "`.tflite` B", "arena B", "RAM B", "flash B",
        "instructions", "beats bit-exact", "fits beside the firmware on",
    )  # fmt: skip
    text = prose(
        "Each network as C from our generator, linked with the engine and real beats of its test "
        "set, run on the STM32F405 in QEMU (`python -m training.studies.measure RUN`): every int8 "
        "output against TensorFlow Lite Micro's, executed instructions (not cycles) of an "
        "inference. The beats come from the host, since the firmware's core computes another "
        "input. Flash: code and constants, weights stored for speed if that fits, else for size; "
        "RAM: arena, input and output. Beside them the rest of the firmware takes 20 KB of flash "
        "and 12 KB of RAM."
    )
    return f"{text}\n\n{table(head, rows)}"


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


def looks_at_ds2(found: dict[str, Result]) -> str:
    """Every network that was scored on DS2, once."""
    names = [f"`{r.name}`" for r in of_beats(found) if r.protocol == "inter_patient"]
    if not names:
        return "None so far."
    return prose(
        f"{len(names)} trainings of studies were scored on DS2, float and (if quantized) int8: "
        f"{', '.join(names)}. Each once, after its last epoch; one that is trained on and measured "
        "again is another look, which the history of its result shows. They measure the studies' "
        "networks; nothing of the shipped model was chosen by them, and no recipe was changed "
        "after."
    )


def runs_table(found: dict[str, Result]) -> str:
    """Commands and times."""
    rows = [
        (f"`{r.name}`", epochs(r), f"{r.train_seconds / 60:.0f} min", f"{_to_full(r):.0f} min")
        for r in sorted(found.values(), key=lambda r: (r.study, r.name))
    ]
    text = (
        "```sh\n"
        "einthoven train training/recipes/studies/NAME.toml --out runs/studies/NAME\n"
        "einthoven quantize runs/studies/NAME\n"
        "einthoven evaluate runs/studies/NAME\n"
        "python -m training.studies.measure runs/studies/NAME\n"
        "python -m training.studies.page\n"
        "```\n\n"
    )
    text += prose(
        "`train` takes `--quick` (under two minutes, little data, its figures mean nothing), "
        "`--epochs N` to stop early and `--resume` to go on, and `--kaggle DIR` for the published "
        "CSV files instead of records. Times are wall time on two cores that other work shared, so "
        "an idle machine is quicker; the last column is the same rate over all epochs, "
        f"{sum(map(_to_full, found.values())) / 60:.1f} hours in all."
    )
    return f"{text}\n\n{table(('recipe', 'epochs', 'took', 'all epochs'), rows)}"


def _to_full(result: Result) -> float:
    return result.train_seconds / 60 * result.epochs_full / max(1, result.epochs)
