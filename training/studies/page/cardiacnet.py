"""The page's section on study 2, CardiacNet."""

from typing import Any

from einthoven.training.studies.cardiacnet.result import COLUMNS
from einthoven.training.studies.page import published
from einthoven.training.studies.page.tables import (
    DASH,
    between,
    class_span,
    percent,
    prose,
    span,
    table,
    three,
)
from einthoven.training.studies.shared.results import FOLDER, Result
from einthoven.training.studies.shared.scores import mean_span

PATIENTS = "cardiacnet_patients"

TEXT = """\
## Study 2: CardiacNet, a classifier per patient

R. Vavekanand, K. Sam, S. Kumar, T. Kumar, 2024 (doi:10.48185/smhs.v1i2.1188). What its text leaves
open is taken from the first publication of the same work and its code
(github.com/ChryssaNab/ECG-Heartbeat-Classification).

One-second windows of one lead (MLII where there is one), scaled to [0, 1] per record, band-passed
0.4–30 Hz, 128 samples; abnormal if any beat in it is neither N nor unclassified; windows without
either are dropped. Where we depart from the study or its code:

- *Borders* of a convolution are padded with zeros and not with their own values, which int8
  runtimes have no op for. J counts as abnormal, which the code has forgotten (three beats of the
  29 records). Kernels of "5 × 5" are 5 long: the signal has one dimension.
- *Fine-tuning* goes on from all pre-trained weights, the dense layers' too, with the setting that
  the record's own search has chosen; the text throws the dense layers away in one place and takes
  the network's weights in another, and searches anew.
- *When a training ends*: after 5 epochs without a lower validation loss, which the study does not
  say. `cardiacnet_random` and `cardiacnet_inter`, one network for all, have no validation windows:
  16 epochs, the study's best, by AdamW.
- *The chronological split* is ours, and its search is pre-training's setting with both ways of
  sampling, not the grid.

Its figures and counts:

- *Windows.* The study counts 49,245; we count 51,021 (51,019 without J). The 1,774 between are
  record 222's to the window: the study's count is that of the other 28 records.
- *Parameters.* 67,169, exactly: a stem of width 1 without bias (32), eight convolutions of 32 × 5
  (41,216), dense 160 (25,760), the output (161). The int8 model gives the stem a bias of zeros, so
  the table above counts 32 more.
- *Choice.* The text says that the grid search uses the validation windows. The code
  (`src/grid_search.py`) takes the setting with the highest balanced accuracy on the *test*
  windows; the row "setting chosen on the test windows" is what that gives here, and it is
  optimistic.
- *Random windows.* Neighbouring seconds of one record lie on both sides of the split. A device
  would be trained on the beginning of a recording and used on what follows: the last three rows.

The whole search is 18 trainings a record. On more cores or machines it is the same command with
`--cluster local:N` (N processes here) or `--cluster tcp://HOST:8786` (a Dask scheduler; `pip
install -e '.[train,cluster]'` on each machine)."""


def cardiacnet_section(found: dict[str, Result]) -> str:
    """Study 2."""
    mine = {n: r for n, r in found.items() if r.study == "cardiacnet"}
    if not mine:
        return ""
    parts = [TEXT, _generic(mine)]
    if PATIENTS in mine:
        parts += [_means(mine[PATIENTS]), _records(mine[PATIENTS]), _figures()]
    return "\n\n".join(p for p in parts if p)


def mean_and_span(result: Result, column: str) -> tuple[str, str, str]:
    """Mean balanced accuracy over records of a column, float and int8, and the float's interval."""
    extra = result.extra
    values = [v for r in extra["records"].values() if (v := r.get(column)) is not None]
    return (
        percent(extra["mean"][column]),
        percent(extra.get("int8", {}).get("mean", {}).get(column)),
        between(mean_span(values)),
    )


def _means(result: Result) -> str:
    extra = result.extra
    rows = []
    for column, words in COLUMNS.items():
        if column not in extra["mean"]:
            continue
        mean, above = published.PATIENTS.get(column, (None, None))
        rows.append(
            (
                words, percent(mean), *mean_and_span(result, column),
                DASH if above is None else str(above),
                f"{extra['above_095'][column]} of {extra['counted'][column]}",
            )
        )  # fmt: skip
    grid = extra["grid"]
    partial = (
        f"**{grid['tried']} of the grid's {grid['of']} settings were tried on every record so "
        "far** (learning rate 0.001 and batch 32 first, both ways of sampling); the same command "
        "with `--resume` goes on. "
        if grid["tried"] < grid["of"]
        else f"All {grid['of']} settings of the grid were tried. "
    )
    head = ("a record's classifier", "study", "float", "int8", "95 %", "above 0.95: study", "ours")
    text = prose(
        f"{partial}Weights of the epoch with the lowest validation loss, setting by balanced "
        f"accuracy on the validation windows, up to {result.epochs} epochs; pre-training up to "
        f'{extra["pretrain_epochs"]}. "Other patients": the {len(extra["records"])} records in '
        f"{extra['folds']} groups by patient, each left out of one pre-training. Mean balanced "
        "accuracy over the records that have both labels in their test windows, with intervals by "
        "resampling records. All but the rows "
        '"not fine-tuned" of other patients are intra-patient.'
    )
    parts = [f"### Per patient (`{PATIENTS}`)", text, table(head, rows)]
    if "int8" in extra:
        parts.append(_quantized(result))
    return "\n\n".join(parts)


def _quantized(result: Result) -> str:
    agreement = result.extra["int8"]["agreement"]
    each = "; ".join(f"{COLUMNS[c]}: {percent(share)}" for c, share in agreement.items())
    text = f"Test windows that int8 gives float's label, over all records: {each}."
    if result.board and "board_record" in result.extra:
        text += (
            f" Of record {result.extra['board_record']}, the individual classifier was run on the "
            'emulated board: row `cardiacnet_patients` of "On the chip".'
        )
    return prose(text)


def _records(result: Result) -> str:
    records: dict[str, dict[str, Any]] = result.extra["records"]
    columns = [c for c in COLUMNS if c in result.extra["mean"]]
    rows = [
        (name, *(three(values.get(column)) for column in columns), _setting(result, name))
        for name, values in sorted(records.items())
    ]
    letters = [chr(ord("a") + i) for i in range(len(columns))]
    legend = "; ".join(f"{x}: {COLUMNS[c]}" for x, c in zip(letters, columns, strict=True))
    text = prose(
        f"Balanced accuracy by record. {legend}. Setting: learning rate / batch / sampling. "
        f"{DASH}: the test windows have one label, or it is not trained yet."
    )
    return text + "\n\n" + table(("record", *letters, "setting"), rows)


def _setting(result: Result, record: str) -> str:
    chosen = result.extra["settings"][record]
    sampling = "weighted" if chosen["weighted_sampling"] else "plain"
    return f"{chosen['learning_rate']:g} / {chosen['batch']} / {sampling}"


def _generic(found: dict[str, Result]) -> str:
    rows = [
        (
            f"`{r.name}`", r.split, name, str(scores["n"]), percent(scores["balanced_accuracy"]),
            span(scores, "balanced_accuracy"), percent(scores["accuracy"]),
            percent(scores["per_class"]["abnormal"]["se"]), class_span(scores, "abnormal", "se"),
            percent(scores["per_class"]["abnormal"]["ppv"]), class_span(scores, "abnormal", "ppv"),
        )
        for r in found.values()
        if r.name != PATIENTS
        for name, scores in (("float", r.float32), ("int8", r.int8))
        if scores is not None
    ]  # fmt: skip
    head = (
        "recipe", "split", "", "windows", "balanced accuracy", "95 %", "accuracy",
        "abnormal: recall", "95 %", "precision", "95 %",
    )  # fmt: skip
    text = prose(
        "The study's pre-training, scored by itself: on a random split of windows, and on DS2's "
        "records of the 29 after training on DS1's (201 and 202, on either side, are one patient)."
    )
    parts = ["### One network for all patients", text, table(head, rows, left=3)]
    return "\n\n".join(parts) if rows else ""


def _figures() -> str:
    pictures = [
        f"![{words}](results/studies/{PATIENTS}_{name}.png)"
        for name, words in (
            ("bars", "Balanced accuracy of each record"),
            ("histograms", "How many records have which balanced accuracy"),
            ("curves", "Loss and balanced accuracy by epoch"),
        )
        if (FOLDER / f"{PATIENTS}_{name}.png").exists()
    ]
    text = "Drawn by `python -m einthoven.training.studies.cardiacnet.figures` from the result.\n\n"
    return text + "\n\n".join(pictures) if pictures else ""
