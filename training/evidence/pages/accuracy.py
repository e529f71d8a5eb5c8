"""The generated tables of docs/accuracy.md, of README.md and of the shipped model's card.

From committed JSON alone; where they stand: `einthoven.training.markdown`.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from einthoven.errors import ModelError
from einthoven.paths import ROOT, SHIPPED_MODEL
from einthoven.report.run import write_text
from einthoven.report.summary import restored
from einthoven.scoring import reliability, rhythm
from einthoven.scoring.comparison import Scores, gross
from einthoven.scoring.text import RUN_HEADER, beat_table, literature_table
from einthoven.training.evidence.measured import collect, noise
from einthoven.training.evidence.measured.rivals import rival_tables
from einthoven.training.evidence.pages import figures
from einthoven.training.evidence.pages.goals import (
    DS1_NOTE,
    goal_table,
    published_table,
    shortfalls,
    svdb_line,
)
from einthoven.training.evidence.pages.model_card import card
from einthoven.training.evidence.pages.readme import noise_rows, results_table
from einthoven.training.markdown import code, f1_cell, rate_cell, replace_regions, spread, table

PAGE = ROOT / "docs" / "accuracy.md"
README = ROOT / "README.md"
CARD = SHIPPED_MODEL / "MODEL_CARD.md"
ABLATIONS = ROOT / "docs" / "results" / "ablations.json"
COVERAGES = (1.0, 0.99, 0.98, 0.95, 0.9, 0.8)

Results = Sequence[Mapping[str, Any]]


def write_pages() -> list[Path]:
    """Write the pages and the figures that need no record; returns the pages that changed."""
    shipped = shipped_result(collect.load_all())
    figures.draw_counts(shipped)
    changed = []
    for path, text in pages().items():
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            write_text(path, text)
            changed.append(path)
    return changed


def pages() -> dict[Path, str]:
    """What docs/accuracy.md, README.md and the model card should say. Raises ModelError."""
    results = collect.load_all()
    about = json.loads((SHIPPED_MODEL / "model.json").read_text())
    # What calibration says of held-out patients belongs to the model, not to DS2.
    shipped = shipped_result(results)
    texts = regions(results, shipped, about.get("confidence"))
    regions_of_readme = {
        "results": results_table(results, shipped),
        "noise": noise_rows(),
    }
    page = replace_regions(PAGE.read_text(encoding="utf-8"), texts)
    readme = replace_regions(README.read_text(encoding="utf-8"), regions_of_readme)
    return {PAGE: page, README: readme, CARD: card(about, texts)}


def shipped_result(results: Results) -> Mapping[str, Any]:
    """The result of the shipped model's training. Raises ModelError if it was not scored."""
    sha256 = collect.shipped_sha256()
    for result in results:
        if result["sha256"].get(result["method"]) == sha256:
            return result
    raise ModelError(
        f"docs/results/ds2 has no result of the shipped model ({sha256[:12]}…): "
        "python -m einthoven.training.evidence RUN, with the folder it was trained in"
    )


def regions(
    results: Results, shipped: Mapping[str, Any], calibration: Mapping[str, Any] | None
) -> dict[str, str]:
    """Name to text of every generated region. `calibration`: `confidence` of model.json."""
    detail = shipped["detail"]
    whole = [(e["record"], restored(e["whole"])) for e in detail]
    scored = [(e["record"], restored(e["ec57"])) for e in detail]
    texts = {
        "ds2": ds2_table(results, shipped),
        "intervals": intervals_line(shipped),
        "seeds": seed_table(results, shipped),
        "quantization": quantization_table(results),
        "ec57": code(beat_table(scored)),
        "ec57-whole": code(beat_table(whole)),
        "confusion": code(
            "Whole records\n" + literature_table(gross(s for _, s in whole)),
            "First five minutes not scored\n" + literature_table(gross(s for _, s in scored)),
        ),
        "runs": run_tables(detail),
        "confidence": confidence_table(shipped, calibration),
        "rhythm": rhythm_table(detail),
        "worst": worst_table(shipped, dict(whole)),
        "osea": rival_tables(results, shipped),
        "goals": goal_table(results),
        "svdb": svdb_line(results),
        "published": published_table(results),
        "shortfalls": shortfalls(results, shipped),
        "noise": noise.table_of(noise.read()),
    }
    if ABLATIONS.exists():
        texts["ablations"] = ablation_table(json.loads(ABLATIONS.read_text(encoding="utf-8")))
    return texts


def _training(result: Mapping[str, Any]) -> str:
    return " + ".join(f"{s['db']} {s['records']}" for s in result["training_data"])


def ds2_table(results: Results, shipped: Mapping[str, Any]) -> str:
    """Every arithmetic of the shipped training, and of every recipe's first seed."""
    header = (
        *("training", "arithmetic", "protocol", "V Se/+P/F1", "S Se/+P/F1", "macro-F1 N,S,V"),
        *("S F1 without 232", "without 232, AF: V F1, S F1"),
    )
    first = {r["recipe"]: r for r in sorted(results, key=lambda r: -r["seed"])}
    first[shipped["recipe"]] = shipped
    rows = []
    for result in sorted(first.values(), key=lambda r: (r is not shipped, r["recipe"])):
        for name, v in result["variants"].items():
            bold = "**" if result is shipped and name == result["method"] else ""
            arithmetic = name if name == "float" else f"int8 {name}"
            rest = v["whole_without_232_and_af"]
            for protocol in ("whole", "ec57"):
                main = v[protocol]
                cells = [rate_cell(main["V"]), rate_cell(main["S"]), f1_cell(main["macro_f1"])]
                cells += (
                    [
                        f1_cell(v["whole_without_232"]["S"]["f1"]),
                        f"{f1_cell(rest['V']['f1'])}, {f1_cell(rest['S']['f1'])}",
                    ]
                    if protocol == "whole"
                    else ["", ""]
                )
                label = "whole" if protocol == "whole" else "EC57's 25 minutes"
                line = [_training(result), arithmetic, label, *cells]
                rows.append([f"{bold}{c}{bold}" if c else "" for c in line])
    return table(header, rows)


def intervals_line(shipped: Mapping[str, Any]) -> str:
    """One sentence."""
    spans = shipped["variants"][shipped["method"]]["intervals_95"]
    cells = ", ".join(
        f"{name} {f1_cell(low)}–{f1_cell(high)}" for name, (low, high) in spans.items()
    )
    return f"95 % intervals of the shipped model's F1, by resampling records: {cells}."


def seed_table(results: Results, shipped: Mapping[str, Any]) -> str:
    """The shipped recipe's seeds and other recipes', int8, with mean and spread."""
    blocks = []
    recipes = [shipped["recipe"], *sorted({r["recipe"] for r in results} - {shipped["recipe"]})]
    for recipe in recipes:
        runs = sorted((r for r in results if r["recipe"] == recipe), key=lambda r: r["seed"])
        rows, columns = [], []
        for run in runs:
            v = run["variants"][run["method"]]
            rest = v["whole_without_232_and_af"]
            values = [
                *(v["whole"][c]["f1"] for c in ("V", "S")),
                v["whole"]["macro_f1"],
                v["whole_without_232"]["S"]["f1"],
                *(rest[c]["f1"] for c in ("V", "S")),
                rest["macro_f1"],
            ]
            columns.append(values)
            mark = " (shipped)" if run is shipped else ""
            rows.append([recipe, f"{run['seed']}{mark}", *map(f1_cell, values)])
        if len(runs) > 1:
            by_column = list(zip(*columns, strict=True))
            rows.append(
                [recipe, "mean", *(f1_cell(sum(column) / len(column)) for column in by_column)]
            )
            rows.append(
                [recipe, "range", *(f"{f1_cell(min(c))}–{f1_cell(max(c))}" for c in by_column)]
            )
        blocks += rows
    header = (
        *("recipe", "seed", "V F1", "S F1", "macro-F1", "S F1 without 232"),
        *("without 232, AF: V F1", "S F1", "macro-F1"),
    )
    return "\n".join([table(header, blocks), "", DS1_NOTE])


def quantization_table(results: Results) -> str:
    """int8 beside float: agreement, and what macro-F1 loses."""
    rows = []
    for result in results:
        base = result["variants"].get("float")
        for name, v in result["variants"].items():
            if name == "float" or base is None:
                continue
            lost = base["whole"]["macro_f1"] - v["whole"]["macro_f1"]
            rows.append(
                [
                    f"{result['recipe']}, seed {result['seed']}",
                    name,
                    f"{100 * result['agreement'][f'{name}_vs_float']:.2f} %",
                    f"{lost:+.4f}",
                    rate_cell(v["whole"]["V"]),
                    rate_cell(v["whole"]["S"]),
                ]
            )
    header = ("training", "method", "float's class", "macro-F1 lost", "V Se/+P/F1", "S Se/+P/F1")
    return table(header, rows)


def run_tables(detail: Results) -> str:
    """Gross counts of couplets, short and long runs, as `rxr` and `sumstats` give them."""
    lines = [RUN_HEADER.replace("Record", "Runs  ")]
    for kind, title in (("V", "V"), ("S", "S")):
        sums = [[sum(e["runs"][kind][i][k] for e in detail) for k in range(4)] for i in range(3)]
        counts = " ".join(f"{n:3d}" for row in sums for n in row)
        rates = []
        for found, missed, true, false in sums:
            for part, whole in ((found, found + missed), (true, true + false)):
                rates.append(f" {round(100 * part / whole):3d}" if whole else "   -")
        lines.append(f"{title:>4}   {counts} {''.join(rates)}")
    return code("\n".join(lines))


def confidence_table(shipped: Mapping[str, Any], chosen: Mapping[str, Any] | None) -> str:
    """How it was calibrated, what it is worth on the held-out patients and on DS2."""
    counts = reliability.from_rows(row for e in shipped["detail"] for row in e["confidence"])
    tables = {"DS2": reliability.summary(counts)}
    if chosen:
        lines = [
            f"Temperature {chosen['temperature']:.3f}, unsure below {chosen['unsure_below']}/255: "
            f"{chosen['chosen_on']}."
        ]
        tables = {"held-out patients": chosen["held_out"], **tables}
    else:
        lines = ["The shipped model is not calibrated: temperature 1, nothing unsure by it."]
    rows = []
    for title, found in tables.items():
        total = {k: found["sure"][k] + found["unsure"][k] for k in ("beats", "wrong")}
        for name, part in (("sure", found["sure"]), ("unsure", found["unsure"]), ("all", total)):
            rows.append(
                [title, name, f"{part['beats']:,}", f"{part['wrong']:,}", _percent(part)]
                + ([f"{100 * found['calibration_error']:.2f}"] if name == "all" else [""])
            )
    header = ("detections of", "", "number", "wrong class", "%", "calibration error, %")
    lines += ["", table(header, rows), ""]
    curve = reliability.coverage(counts)
    kept = []
    for wanted in COVERAGES:
        limit, share, error = min(curve, key=lambda c: abs(c[1] - wanted))
        kept.append([f"{100 * share:.1f}", f"{limit:.3f}", f"{100 * error:.2f}"])
    lines.append(table(("DS2: kept, %", "confidence from", "wrong among them, %"), kept))
    return "\n".join(lines)


def _percent(part: Mapping[str, int]) -> str:
    return f"{100 * part['wrong'] / part['beats']:.2f}" if part["beats"] else "–"


def rhythm_table(detail: Results) -> str:
    """Events by kind: reference's number, found, missed, invented."""
    rows = []
    for kind, rate in rhythm.total(e["rhythm"] for e in detail).items():
        shares = ["–" if s is None else f"{100 * s:.1f}" for s in (rate.se, rate.ppv)]
        rows.append([kind, f"{rate.tp + rate.fn}", f"{rate.tp}", f"{rate.fp}", *shares])
    return table(("event", "in the reference", "found", "invented", "Se %", "+P %"), rows)


def worst_table(shipped: Mapping[str, Any], whole: Mapping[str, Scores]) -> str:
    """The five records with most wrong beats: which errors, and in which rhythm they lie."""
    rows = []
    for entry in collect.worst(shipped):
        kinds, rhythms = entry["errors"]["kinds"], entry["errors"]["rhythms"]
        scores = whole[entry["record"]]
        top = ", ".join(f"{_kind(k)} {n}" for k, n in list(kinds.items())[:4])
        ranked = sorted(rhythms.items(), key=lambda item: -item[1][0])
        where = ", ".join(f"{name} {wrong} of {n:,}" for name, (wrong, n) in ranked[:3] if wrong)
        rows.append(
            [
                entry["record"],
                f"{sum(kinds.values())} of {int(scores.literature[:5].sum()):,}",
                top,
                where,
            ]
        )
    header = ("record", "wrong beats", "errors (reference → model)", "wrong by marked rhythm")
    return table(header, rows)


def _kind(kind: str) -> str:
    wanted, given = kind.split(">")
    return f"no beat → {given}" if wanted == "none" else f"{wanted} → {given}"


def ablation_table(result: Mapping[str, Any]) -> str:
    """Mean F1 over the seeds, with their range, of each variant on held-out patients."""
    by_variant: dict[str, list[Mapping[str, Any]]] = {}
    for run in result["runs"]:
        by_variant.setdefault(run["variant"], []).append(run["scores"])
    databases = sorted({db for scores in by_variant.values() for s in scores for db in s})
    rows = []
    for name, scores in by_variant.items():
        cells = []
        for db in databases:
            for label in ("V", "S"):
                values = [s[db][label] for s in scores]
                cells.append(spread(values))
        rows.append([name, str(len(scores)), *cells])
    columns = [f"{db} {label}" for db in databases for label in ("V", "S")]
    return table(("variant", "seeds", *columns), rows)
