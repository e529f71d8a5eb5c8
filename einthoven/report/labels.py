"""The page of a batch that was checked: a list of it, and a label for each board.

A4; labels as on a sheet of ten of 99.1 × 57 mm (two columns, five rows). Only a board that is good
has a QR code: `einthoven:ID#FINGERPRINT`, the chip's id (else the name) and its key's fingerprint.
"""

from dataclasses import dataclass
from pathlib import Path

import segno

from einthoven.components.documents import document
from einthoven.fleet.checked import BoardCheck, CheckReport
from einthoven.report.run import write_text

PER_SHEET = 10


@dataclass(frozen=True)
class Label:
    """What is printed of a board."""

    check: BoardCheck
    qr: str
    """An SVG element; "" for a board that is not good."""
    passed: str
    missing: str
    """Names of what was not judged."""


def content(check: BoardCheck) -> str:
    """What a label's QR code says."""
    return f"einthoven:{check.id or check.name}#{check.key}"


def labels_page(report: CheckReport, title: str) -> str:
    """The page as HTML, complete in itself."""
    labels = [_label(check) for check in report.boards]
    sheets = [labels[i : i + PER_SHEET] for i in range(0, len(labels), PER_SHEET)]
    return document(
        "einthoven.report",
        "labels.html.j2",
        title=title,
        boards=report.boards,
        failed=len(report.failed),
        good=len(report.boards) - len(report.failed),
        day=max((check.time[:10] for check in report.boards), default=""),
        sheets=sheets,
    )


def write_labels(path: Path, report: CheckReport, title: str) -> None:
    """Write the page. Raises EinthovenError when the disk is full or may not be written."""
    write_text(path, labels_page(report, title))


def _label(check: BoardCheck) -> Label:
    qr = ""
    if check.passed:
        code = segno.make(content(check), error="m", micro=False)
        qr = code.svg_inline(border=2, omitsize=True)
    return Label(
        check=check,
        qr=qr,
        passed=", ".join(item.name for item in check.items if item.passed),
        missing=", ".join(item.name for item in check.items if item.passed is None),
    )
