"""The pictures of docs/accuracy.md, drawn from one evaluation of the shipped model.

PNG and SVG in `docs/results/ds2/`; the same evaluation gives the same files. Records appear as
pictures only.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from einthoven.aami import CLASSES, literature_class
from einthoven.codegen.model import load as load_model
from einthoven.native.engine import HostModel, Int8
from einthoven.paths import SHIPPED_MODEL
from einthoven.records.adc import to_board
from einthoven.records.annotations import read_annotations
from einthoven.records.download import find_database
from einthoven.records.record import read_record
from einthoven.scoring.reliability import coverage, from_rows, summary
from einthoven.training.data import dataset
from einthoven.training.data.dataset import ADC_BITS, GAIN_LSB_PER_MV, RATE_HZ
from einthoven.training.evidence.measured.collect import RESULTS, STRIP_S, worst
from einthoven.training.model.evaluate import Evaluation, Variant

COLOURS = {"N": "#4c78a8", "S": "#f58518", "V": "#e45756", "F": "#72b7b2", "Q": "#9d755d"}
OTHER = "#888888"
SAMPLE_PER_CLASS = 400
STYLE: dict[Any, Any] = {"svg.hashsalt": "einthoven", "svg.fonttype": "none", "font.size": 8}


def draw_records(
    result: Mapping[str, Any], evaluation: Evaluation, data: Path | None
) -> list[Path]:
    """Draw the figures that show records; `evaluation` is what `result` was made from."""
    variant = next(v for v in evaluation.variants if v.name == result["method"])
    database = find_database(data, "mitdb")
    with mpl.rc_context(STYLE):
        return [
            strips(result, variant, database, RESULTS / "worst.png"),
            embedding(data, RESULTS / "embedding.png"),
        ]


def draw_counts(result: Mapping[str, Any]) -> list[Path]:
    """Draw the figures that are made from the result alone."""
    with mpl.rc_context(STYLE):
        return [
            records(result, RESULTS / "records.svg"),
            confidence(result, RESULTS / "confidence.svg"),
        ]


def _save(figure: Figure, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".svg":
        figure.savefig(path, metadata={"Date": None, "Creator": None})
    else:
        figure.savefig(path, dpi=110, metadata={"Software": None})
    return path


def records(result: Mapping[str, Any], path: Path) -> Path:
    """A bar a record: its wrong beats by what they should have been."""
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.add_subplot()
    entries = result["detail"]
    base = np.zeros(len(entries))
    wanted = (*CLASSES[:4], "none")
    for name in wanted:
        heights = np.array(
            [
                sum(n for kind, n in e["errors"]["kinds"].items() if kind.split(">")[0] == name)
                for e in entries
            ],
            dtype=float,
        )
        label = f"{name} beats wrong or missed" if name != "none" else "no beat there"
        axes.bar(
            range(len(entries)), heights, bottom=base, color=COLOURS.get(name, OTHER), label=label
        )
        base += heights
    for i, total in enumerate(base):
        axes.annotate(f"{total:.0f}", (i, total), ha="center", va="bottom", size=7)
    axes.set_xticks(range(len(entries)), [e["record"] for e in entries], rotation=60)
    axes.set_ylabel("wrong beats, whole record")
    axes.legend(frameon=False)
    _bare(axes)
    return _save(figure, path)


def confidence(result: Mapping[str, Any], path: Path) -> Path:
    """Reliability, and error against coverage."""
    counts = from_rows(row for e in result["detail"] for row in e["confidence"])
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    bins = summary(counts)["bins"]
    left.plot([0.3, 1], [0.3, 1], color=OTHER, linewidth=0.8, linestyle="--")
    left.plot([b["claimed"] for b in bins], [b["right"] for b in bins], marker="o", markersize=4)
    left.set(xlabel="confidence", ylabel="share of right detections", title="Reliability")
    curve = coverage(counts)
    right.plot([100 * c for _, c, _ in curve], [100 * e for _, _, e in curve])
    right.set(
        xlabel="detections kept, % (most confident first)",
        ylabel="wrong among them, %",
        title="Coverage against error",
    )
    right.invert_xaxis()
    right.set_ylim(bottom=0)
    for axes in (left, right):
        _bare(axes)
        axes.grid(alpha=0.3)
    return _save(figure, path)


def strips(result: Mapping[str, Any], variant: Variant, database: Path, path: Path) -> Path:
    """Ten seconds of each of the worst records: the model's classes above, the true ones below."""
    chosen = worst(result)
    figure = Figure(figsize=(10, 1.75 * len(chosen)), layout="constrained")
    for axes, entry in zip(
        figure.subplots(len(chosen), 1, squeeze=False).flat, chosen, strict=True
    ):
        name, begin = entry["record"], entry["errors"]["strip_s"]
        record, reference = read_record(database, name), read_annotations(database, name)
        mv = to_board(record, RATE_HZ, GAIN_LSB_PER_MV, ADC_BITS) / GAIN_LSB_PER_MV
        first = round(begin * RATE_HZ)
        shown = mv[first : first + round(STRIP_S * RATE_HZ)]
        axes.plot(begin + np.arange(len(shown)) / RATE_HZ, shown, color="black", linewidth=0.8)
        low, high = float(shown.min()), float(shown.max())
        room = 0.18 * max(high - low, 0.5)
        found = variant.findings[name]
        marks = [
            (t, c, high + room) for t, c in zip(found.times_s.tolist(), found.labels, strict=True)
        ] + [
            (t, literature_class(s), low - room)
            for t, s in zip(
                reference.times_s(record.rate_hz).tolist(),
                reference.symbols.tolist(),
                strict=True,
            )
        ]
        for time, label, y in marks:
            if label is not None and begin <= time < begin + STRIP_S:
                axes.text(
                    time, y, label, color=COLOURS[label], ha="center", va="center", weight="bold"
                )
        axes.set_xlim(begin, begin + STRIP_S)
        axes.set_ylim(low - 1.8 * room, high + 1.8 * room)
        axes.set_title(f"{name} ({record.lead}), s", loc="left", size=8)
        axes.set_yticks([])
        _bare(axes)
    return _save(figure, path)


def embedding(data: Path | None, path: Path) -> Path:
    """t-SNE of what the last convolution block gives for a seeded sample of DS2's beats."""
    from sklearn.manifold import TSNE

    examples = dataset.load([{"db": "mitdb", "records": "ds2"}], data)
    chosen = sample(examples.label)
    found = activations(examples.signal[chosen], examples.features[chosen], SHIPPED_MODEL)
    plane = TSNE(perplexity=30.0, init="pca", random_state=1).fit_transform(found)
    figure = Figure(figsize=(6.5, 5.2), layout="constrained")
    axes = figure.add_subplot()
    for i, name in enumerate(CLASSES):
        rows = examples.label[chosen] == i
        label = f"{name} ({rows.sum()})"
        axes.scatter(
            plane[rows, 0], plane[rows, 1], s=5, color=COLOURS[name], label=label, linewidths=0
        )
    axes.set(xticks=[], yticks=[])
    axes.legend(frameon=False, markerscale=3)
    return _save(figure, path)


def sample(label: NDArray[np.int8], seed: int = 1) -> NDArray[np.int64]:
    """Indices of at most `SAMPLE_PER_CLASS` beats of each class, drawn without replacement."""
    rng = np.random.default_rng(seed)
    parts = []
    for i in range(len(CLASSES)):
        rows = np.flatnonzero(label == i)
        parts.append(rng.choice(rows, min(len(rows), SAMPLE_PER_CLASS), replace=False))
    return np.sort(np.concatenate(parts))


def activations(signal: Int8, features: Int8, model: Path) -> NDArray[np.float32]:
    """[n, length × channels] int8 values of the last op that still has positions, as floats."""
    from tempfile import TemporaryDirectory

    from einthoven.codegen.model import export

    last = [op.output for op in load_model(model).graph.ops if op.output.length > 1][-1]
    with TemporaryDirectory() as scratch:
        export(model, Path(scratch))
        engine = HostModel(Path(scratch), trace=True)
        found = [engine.layers(*beat)[last.index] for beat in zip(signal, features, strict=True)]
    return np.array(found, dtype=np.float32)


def _bare(axes: Axes) -> None:
    sides: Sequence[str] = ("top", "right")
    for side in sides:
        axes.spines[side].set_visible(False)
