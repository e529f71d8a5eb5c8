"""Every page that Python makes, of made-up data: for tests, and to be looked at.

    python -m einthoven.hil_tests.documents build/documents

writes them with pictures at 360 and 1920 px, light and dark, and as the PDF that a browser prints.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser

from einthoven.device import card
from einthoven.device.spec import load
from einthoven.device_log.beats import with_beats
from einthoven.device_log.page import page
from einthoven.device_log.testing import made_up_log
from einthoven.device_log.times import Clock
from einthoven.fleet.checked import BoardCheck, CheckReport, Item
from einthoven.hil_tests.browser import chromium
from einthoven.hil_tests.harness.agreement import compare_runs
from einthoven.report.files import write_report
from einthoven.report.labels import labels_page
from einthoven.report.side_by_side import write_comparison
from einthoven.report.testing import made_up_run

SIZES = {"360": (360, 760), "1920": (1920, 1080)}
SCHEMES = ("light", "dark")


def write_documents(out: Path) -> list[Path]:
    """Write the pages into a folder: report, comparison, a patient's, labels, card."""
    log = with_beats(made_up_log(days=1.5))
    texts = {
        "patient": page(log, Clock.of(log), "P-017"),
        "labels": labels_page(_batch(), "clinic"),
        "card": card.html(load()),
    }
    with TemporaryDirectory() as folder:
        one, two = (
            made_up_run(Path(folder) / name, w) for name, w in (("one", 0.03), ("two", 0.1))
        )
        write_report(one)
        texts["report"] = (one.path / "report.html").read_text(encoding="utf-8")
        write_comparison(out / "compare.html", one, two, compare_runs(one, two))
    for name, text in texts.items():
        (out / f"{name}.html").write_text(text, encoding="utf-8")
    return sorted(out.glob("*.html"))


def _batch() -> CheckReport:
    """Twelve boards, one of which is not good, so that labels go on on a second sheet."""
    good = [Item(name=n, passed=True, measured="right") for n in ("flash", "engine", "front end")]
    bad = Item(name="engine", passed=False, measured="5 of 20 golden tensors differ", limit="0")
    about = {"board": "qemu_stm32f405", "time": "2026-01-01T00:00:00+00:00", "build": "0.9.0"}
    boards = [
        BoardCheck(
            name=f"clinic-{i:02d}",
            id=f"{i:024d}",
            key="a1b2-c3d4-e5f6-0718",
            model="residual",
            model_sha256="ab" * 32,
            items=[bad] if i == 4 else good,
            **about,
        )
        for i in range(12)
    ]
    return CheckReport.of(boards)


def print_pdf(browser: Browser, path: Path) -> bytes:
    """What the browser prints of a page, on the paper that its style names."""
    sheet = browser.new_page(color_scheme="dark")
    sheet.goto(path.as_uri())
    pdf = sheet.pdf(prefer_css_page_size=True, print_background=True)
    sheet.close()
    return pdf


def main() -> None:
    """Write pages, pictures and PDFs into a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        for path in write_documents(out):
            path.with_suffix(".pdf").write_bytes(print_pdf(browser, path))
            for size, (width, height) in SIZES.items():
                for scheme in SCHEMES:
                    shown = browser.new_page(
                        viewport={"width": width, "height": height},
                        color_scheme="dark" if scheme == "dark" else "light",
                    )
                    shown.goto(path.as_uri())
                    shown.screenshot(path=out / f"{path.stem}-{size}-{scheme}.png", full_page=True)
                    shown.close()
            print(path.stem)


if __name__ == "__main__":
    main()
