"""What holds of every page that Python makes, in Chromium: on screens, for keyboards, on paper."""

import re
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from einthoven.components.millimetre import PAPER
from einthoven.hil_tests.browser import chromium, faults
from einthoven.hil_tests.documents import print_pdf, write_documents

PAGES = ("card", "compare", "labels", "patient", "report")
ROWS = {"patient": 4, "report": 2}
"""Of each of its strips."""
MM = 72 / 25.4
"""In points, which a PDF counts in."""
RULER = (0.5, 2.5, 50.5, 2.5)
GRID_MM = float(re.findall(r"M0 0h(\d+)", PAPER)[0])
"""How long the lines of a row's paper are, before the row cuts them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("documents")
    assert [path.stem for path in write_documents(out)] == list(PAGES)
    return out


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as found:
        yield found


_UNREACHED = """
Array.from(document.querySelectorAll("body *"))
  .filter((e) => ["auto", "scroll"].includes(getComputedStyle(e).overflowX))
  .filter((e) => e.scrollWidth > e.clientWidth && e.tabIndex < 0)
  .map((e) => e.outerHTML.slice(0, 80))
"""
"""What slides sideways, and no key moves."""


@pytest.mark.parametrize("name", PAGES)
def test_on_a_screen(folder: Path, browser: Browser, name: str) -> None:
    """Nothing is asked for or refused; no page slides sideways as a whole; axe finds nothing."""
    page = browser.new_page(viewport={"width": 360, "height": 760}, color_scheme="light")
    told: list[str] = []
    page.on("console", lambda message: told.append(message.text))
    page.on("request", lambda request: told.append(request.url))
    address = (folder / f"{name}.html").as_uri()
    page.goto(address)
    assert told == [address]
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    assert page.evaluate(_UNREACHED) == []
    assert faults(page) == []
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 1920
    assert faults(page, "color-contrast") == []
    page.close()


def lines(pdf: bytes) -> list[dict[tuple[float, ...], list[float]]]:
    """Of each page, straight lines by their ends in the drawing's units; how long in mm on paper.

    PDF 1.7 (ISO 32000-1), 8.3.4 and 8.5.2: `cm` multiplies the matrix from the left, `q` and `Q`
    keep it and bring it back, `m` and `l` draw.
    """
    pages = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            text = zlib.decompress(stream)
        except zlib.error:
            continue
        if not re.match(rb"[-.\d]+ 0 0 -[.\d]+ 0 [.\d]+ cm\n", text):
            continue  # a font, a form
        found: dict[tuple[float, ...], list[float]] = {}
        scale, kept, at = (1.0, 1.0), [], (0.0, 0.0)
        for line in text.decode("latin-1").splitlines():
            *words, operator = line.split() or [""]
            if operator == "q":
                kept.append(scale)
            elif operator == "Q":
                scale = kept.pop()
            elif operator == "cm":
                scale = (scale[0] * float(words[0]), scale[1] * float(words[3]))
            elif operator == "m":
                at = (float(words[0]), float(words[1]))
            elif operator == "l":
                to = (float(words[0]), float(words[1]))
                ends, by = (*at, *to), ((to[0] - at[0]) * scale[0], (to[1] - at[1]) * scale[1])
                found.setdefault(ends, []).append(max(map(abs, by)) / MM)
                at = to
        pages.append(found)
    return pages


@pytest.mark.parametrize("name", ROWS)
def test_a_millimetre_is_one_on_paper_and_strips_are_whole(
    folder: Path, browser: Browser, name: str
) -> None:
    """Measured in the PDF: the ruler, and every row's paper both ways."""
    pages = lines(print_pdf(browser, folder / f"{name}.html"))
    rulers = [mm for page in pages for mm in page.get(RULER, [])]
    assert rulers == pytest.approx([50.0], rel=0.002)
    shown = 0
    for page in pages:
        across = page.get((0.0, 5.0, GRID_MM, 5.0), [])  # fine and bold
        down = [mm for ends, found in page.items() if ends[:2] == (5.0, 0.0) for mm in found]
        assert across == pytest.approx([GRID_MM] * len(across), rel=0.002)
        assert down == pytest.approx([50.0] * len(across), rel=0.002)
        assert len(across) / 2 % ROWS[name] == 0  # no strip ends on another page
        shown += len(across)
    assert shown == 2 * 3 * ROWS[name]


@pytest.mark.parametrize(("name", "sheets"), [("card", 2), ("labels", 3)])
def test_what_is_cut_out_fits_its_paper(
    folder: Path, browser: Browser, name: str, sheets: int
) -> None:
    """The card's two sides; the list of a batch, and ten labels a sheet."""
    assert len(lines(print_pdf(browser, folder / f"{name}.html"))) == sheets
