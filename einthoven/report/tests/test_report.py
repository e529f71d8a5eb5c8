"""What a run says, rebuilt from its folder: summary.json's keys, the tables, the HTML page."""

import base64
import hashlib
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from markupsafe import escape
from msgspec.structs import replace
from rich.console import Console
from typer.testing import CliRunner

from einthoven.cli import app
from einthoven.components import millimetre
from einthoven.components.documents import policy
from einthoven.components.words import clock, count, percent
from einthoven.hil_tests.browser import chromium
from einthoven.hil_tests.harness.agreement import compare_runs
from einthoven.report import html
from einthoven.report.description import Strip
from einthoven.report.figures import histogram_svg, strip_trace
from einthoven.report.files import write_report
from einthoven.report.run import RunDir
from einthoven.report.schema import to_builtins
from einthoven.report.side_by_side import write_comparison
from einthoven.report.summary import restored, stored, summarize
from einthoven.report.testing import RATE_HZ, made_up_annotations, made_up_result, made_up_run
from einthoven.report.text import console, summary_text
from einthoven.report.words import SEEN_NOTE
from einthoven.scoring.comparison import compare
from einthoven.scoring.text import beat_table

VOID = {"area", "br", "hr", "img", "input", "link", "meta"}


@pytest.fixture
def run(tmp_path: Path) -> RunDir:
    return made_up_run(tmp_path / "run")


def change_data(run: RunDir, **changes: Any) -> None:
    run.plan = replace(run.plan, data=replace(run.plan.data, **changes))


def test_summary_holds_what_is_promised(run: RunDir) -> None:
    """The keys that the documentation (docs/replay.md) names, exactly so spelled."""
    write_report(run)
    summary = json.loads((run.path / "summary.json").read_text())
    assert {
        *("schema", "board", "model", "pipeline_sha256", "data", "protocols", "agreement"),
        *("resources", "link"),
    } <= summary.keys()
    assert {"name", "sha256", "params", "macs", "training_records"} == summary["model"].keys()
    for protocol in ("ec57", "whole"):
        part = summary["protocols"][protocol]
        assert [r["record"] for r in part["records"]] == ["100", "119", "208"]
        for entry in [part["gross"], *part["records"]]:
            assert "confusion" in entry
            for kind in ("qrs", "veb", "sveb"):
                assert {"tp", "fn", "fp", "se", "ppv", "f1"} <= entry[kind].keys()
    assert {"beats", "device_vs_host_int8", "host_int8_vs_tflm"} <= summary["agreement"].keys()
    assert {
        *("flash_bytes", "ram_bytes", "stack_bytes", "arena_bytes"),
        *("instructions_per_sample", "instructions_per_inference"),
    } <= summary["resources"].keys()
    assert {"bytes_lost", "retries", "seconds", "times_real_time"} <= summary["link"].keys()


def test_summary_adds_up(run: RunDir) -> None:
    summary = to_builtins(summarize(run))
    results = [to_builtins(run.read_result(name)) for name in ("100", "119", "208")]
    assert summary["agreement"]["device_vs_host_int8"] == 2
    assert summary["agreement"]["first_difference"]["record"] == "208"
    assert summary["agreement"]["beats"] == sum(r["beats"] for r in results)
    assert summary["resources"]["instructions_per_sample"] == 250.0
    assert summary["resources"]["instructions_per_inference"] == 500_000.0
    assert summary["resources"]["instructions_per_inference_max"] == 500_002
    assert summary["resources"]["stack_used_bytes"] == 902
    assert summary["link"]["bytes_lost"] == 6 and summary["link"]["seconds"] == 60.0
    seconds = sum(r["seconds"] for r in results)
    assert summary["link"]["times_real_time"] == pytest.approx(seconds / 60.0)
    assert summary["latency_ms"]["median"] == pytest.approx(200 / 180 * 1000)
    for protocol in ("ec57", "whole"):
        part = summary["protocols"][protocol]
        for kind in ("qrs", "veb", "sveb"):
            for counted in ("tp", "fn", "fp"):
                total = sum(r["protocols"][protocol][kind][counted] for r in results)
                assert part["gross"][kind][counted] == total
            gross = part["gross"][kind]
            assert gross["se"] == gross["tp"] / (gross["tp"] + gross["fn"])
            mean = np.mean([r["protocols"][protocol][kind]["se"] for r in results])
            assert part["average"][kind]["se"] == pytest.approx(mean)
    assert summary["unfinished"] == ["232"]


def test_patients_of_the_training_are_marked_and_left_out_of_a_gross_of_their_own(
    run: RunDir,
) -> None:
    change_data(run, in_training=["119"])
    part = to_builtins(summarize(run))["protocols"]["whole"]
    kept = [to_builtins(run.read_result(n))["protocols"]["whole"] for n in ("100", "208")]
    assert part["gross_unseen"]["qrs"]["tp"] == sum(p["qrs"]["tp"] for p in kept)
    assert part["gross_unseen"]["qrs"]["tp"] < part["gross"]["qrs"]["tp"]
    screen = Console(width=80, file=io.StringIO(), record=True)
    screen.print(summary_text(summarize(run)))
    text = screen.export_text()
    assert "119*" in text and "100*" not in text and "Unseen" in text and SEEN_NOTE[:40] in text
    change_data(run, in_training=[*run.records])
    assert summarize(run).protocols.whole.gross_unseen is None


def test_cycles_are_not_called_instructions(run: RunDir) -> None:
    run.plan = replace(run.plan, count_unit="cycles")
    resources = to_builtins(summarize(run))["resources"]
    assert resources["instructions_per_inference"] is None
    assert resources["cycles_per_inference"] == 500_000.0


def test_scores_survive_the_folder(run: RunDir) -> None:
    """A stored score prints the same line as the comparison it came from."""
    reference, test = made_up_annotations(3, 0.05)
    scores = compare(reference, test, 360.0, 400_000)
    back = restored(json.loads(json.dumps(to_builtins(stored(scores)))))
    assert beat_table([("x", back)]) == beat_table([("x", scores)])


def test_tables_in_physionets_format_are_written(run: RunDir) -> None:
    write_report(run)
    for name in ("ec57.txt", "whole.txt"):
        lines = (run.path / name).read_text().splitlines()
        assert lines[0].startswith("Record Nn'")
        assert [line.split()[0] for line in lines[1:4]] == ["100", "119", "208"]
        assert {line.split()[0] for line in lines[5:8]} == {"Sum", "Gross", "Average"}


def test_terminal_text_shows_scores_agreement_and_resources(run: RunDir) -> None:
    screen = Console(width=80, highlight=False)
    with screen.capture() as captured:
        screen.print(summary_text(summarize(run)))
    text = captured.get()
    for word in ("Gross", "Average", "2 differ", "78.1 KB", "500,000 (most 500,002)"):
        assert word in text
    assert "…" not in text  # nothing is cut off at 80 columns
    assert "first difference: record 208 at 1:01.500 (sample 11070)" in text
    assert "tensor_crc, logits: 0000abcd [1] | 0000abce <2>" in text


class Checker(HTMLParser):
    """Collects what could reach out of the page, and checks that tags are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.outside: list[str] = []
        self.stack: list[str] = []
        self.ids: list[str] = []
        self.targets: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        for name, value in attrs:
            if name in ("src", "href", "xlink:href") and not (value or "").startswith("#"):
                self.outside.append(f"{tag} {name}={value}")
            if name == "href" and tag == "a":
                self.targets.append((value or "").removeprefix("#"))
            if name == "id":
                self.ids.append(value or "")
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-3:]}"
        self.stack.pop()


def test_the_page_is_whole_and_self_contained(run: RunDir) -> None:
    write_report(run)
    page = (run.path / "report.html").read_text()
    checker = Checker()
    checker.feed(page)
    assert checker.stack == []
    assert checker.outside == [] and checker.scripts == 1
    script = page[page.index("<script>") + 8 : page.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    allowed = policy(script)
    assert f"script-src 'sha256-{digest}'" in allowed and "default-src 'none'" in allowed
    assert f'content="{escape(allowed)}"' in page
    assert set(checker.targets) <= set(checker.ids)
    assert not re.search(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", page)
    assert len(re.findall(r'<svg class="row"', page)) == 3 * 2  # 10 s in rows of at most 7.5 s
    assert (
        page.count("<title>") == 1 + 3 + 1 + 2 + 1
    )  # its own, trends, reliability, histograms, a flaw
    assert "Not a medical device." in page
    assert "Unfinished run." in page and "232" in page
    assert "STM32F405 &lt;emulated&gt;" in page and "<emulated>" not in page
    assert "0000abce &lt;2&gt;" in page
    assert "ef" * 32 in page and "ab" * 32 in page and "cd" * 32 in page


def test_the_page_shows_rhythm_over_time_and_the_signal(run: RunDir) -> None:
    write_report(run)
    page = (run.path / "report.html").read_text(encoding="utf-8")
    shown = page[page.index('<section id="episodes">') :]
    for name in run.finished():
        assert f"Record {name}: heart rate over time" in shown
    assert 'id="verdicts"' not in page  # half-hour records are no strips


def test_the_same_run_gives_the_same_bytes(run: RunDir) -> None:
    write_report(run)
    names = ("report.html", "summary.json", "events.csv", "ec57.txt")
    first = [(run.path / name).read_bytes() for name in names]
    write_report(RunDir.open(run.path))
    assert [(run.path / name).read_bytes() for name in names] == first


def test_a_run_without_any_record_done_still_reports(tmp_path: Path, run: RunDir) -> None:
    empty = RunDir.create(tmp_path / "empty", run.plan)
    summary = write_report(empty)
    assert summary.agreement.beats == 0
    assert summary.protocols.ec57.gross.qrs.se is None
    assert "Unfinished run." in (empty.path / "report.html").read_text()


def test_a_record_without_reference_is_replayed_but_not_scored(run: RunDir) -> None:
    run.write_result("119", replace(run.read_result("119"), protocols=None))
    summary = write_report(run)
    assert summary.not_scored == ["119"]
    assert [r.record for r in summary.protocols.ec57.records] == ["100", "208"]
    assert "Not scored:" in (run.path / "report.html").read_text()
    screen = Console(width=80, highlight=False)
    with screen.capture() as captured:
        screen.print(summary_text(summary))
    assert "no reference (.atr): 119" in captured.get()


def test_synthetic_data_is_called_so(run: RunDir) -> None:
    change_data(run, synthetic=True)
    summary = write_report(run)
    assert "Synthetic data." in (run.path / "report.html").read_text()
    screen = Console(width=80, file=io.StringIO(), record=True)
    screen.print(summary_text(summary))
    assert "A synthetic record: its figures say nothing" in screen.export_text()


@pytest.mark.parametrize("mv", [[0.0] * 100, [-10.24] * 900 + [10.235] * 900])
def test_strips_without_a_signal_are_drawn(mv: list[float]) -> None:
    strip = Strip(
        record="x",
        reason="",
        start_s=0.0,
        rate_hz=RATE_HZ,
        mv=mv,
        events=[],
        reference=[(0.3, "Q")],
    )
    rows = millimetre.rows(strip_trace(strip))
    seconds = [
        float(w) / 25 for row in rows for w in re.findall(r'^<svg[^>]* width="([\d.]+)mm', row)
    ]
    assert sum(seconds) == pytest.approx(len(mv) / RATE_HZ, abs=0.001)
    assert rows[0].count(">Q</text>") == 1


def test_a_histogram_of_equal_values_is_drawn() -> None:
    svg = histogram_svg(np.full(10, 780_000.0), "instructions", "A title", [(780_000.0, "mean")])
    assert "A title" in svg and "var(--accent)" in svg


def test_numbers_read_well() -> None:
    assert (percent(None), percent(0.99834), percent(1.0, 1)) == ("-", "99.83", "100.0")
    assert (count(None), count(1234567)) == ("-", "1,234,567")
    assert (clock(0.0), clock(61.5), clock(3599.9996)) == ("0:00.000", "1:01.500", "60:00.000")


def test_a_narrow_terminal_cuts_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal
    monkeypatch.setenv("COLUMNS", "60")
    assert console().width == 60
    assert console(least=80).width == 80


def test_the_last_label_of_an_axis_stays_in_the_picture() -> None:
    """A label that is centred on a tick at the end of its axis would lose its last digits."""
    svg = histogram_svg(np.linspace(0, 400_000, 100), "nanoseconds", "A title", [])
    labels = re.findall(r'<text style="[^"]*text-anchor: (\w+)[^"]*"[^>]*>([\d,]+)</text>', svg)
    assert labels[0] == ("start", "0") and labels[-1] == ("end", "400,000"), labels
    assert {anchor for anchor, _ in labels[1:-1]} == {"middle"}
    assert "e+0" not in svg


def test_one_record_is_one_record(run: RunDir) -> None:
    one = RunDir.create(run.path.parent / "one", run.plan)
    one.write_events("100", run.read_events("100"), np.zeros(run.read_result("100").beats, int))
    one.write_result("100", run.read_result("100"))
    write_report(one)
    page = (one.path / "report.html").read_text()
    assert "· 1 record ·" in page and "1 records" not in page
    assert "· 3 records ·" in report_page(run)


def report_page(run: RunDir) -> str:
    write_report(run)
    return (run.path / "report.html").read_text()


def test_a_run_without_anything_has_no_empty_sections(tmp_path: Path, run: RunDir) -> None:
    page = report_page(RunDir.create(tmp_path / "empty", run.plan))
    headings = re.findall(r"<h2>(.*?)</h2>", page)
    assert headings == ["Resources and link", "Provenance"]
    checker = Checker()
    checker.feed(page)
    assert checker.stack == [] and set(checker.targets) <= set(checker.ids)
    assert "bxb -r" not in page and "Undefined" not in page


def test_of_very_many_records_the_worst_are_listed_and_the_page_says_so(
    run: RunDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "Not all records are listed" not in report_page(run)
    monkeypatch.setattr(html, "MAX_LISTED", 2)
    page = report_page(run)
    assert "Of 3 records the 2 with most mistakes stand in the tables, the other 1" in page
    rows = re.findall(r"<tr><td>(\w+)</td>", page)
    assert "208" in rows and "119" in rows and "100" not in rows  # 100 is without a mistake


def test_the_page_of_ten_thousand_records_is_below_20_mb(run: RunDir) -> None:
    results = [replace(run.read_result("208"), strips=[])]
    names = [f"patient_{i:05d}_with_a_long_name" for i in range(10_000)]
    results = [replace(results[0], record=name) for name in names]
    summary = summarize(run)
    scores = next(r for r in summary.protocols.whole.records if r.record == "208")
    listed = replace(
        summary.protocols.whole, records=[replace(scores, record=name) for name in names]
    )
    files = {name: {f"{name}{s}": "ef" * 32 for s in (".hea", ".dat", ".atr")} for name in names}
    rhythm = [replace(summary.rhythm.records[0], record=name) for name in names]
    summary = replace(
        summary,
        data=replace(summary.data, records=names, files=files),
        protocols=replace(summary.protocols, ec57=listed, whole=listed),
        rhythm=replace(summary.rhythm, records=rhythm),
        not_scored=names,
        unfinished=names,
    )
    page = html.page(summary, results, [], [], "run")
    assert len(page.encode()) < 20_000_000
    assert "Of 10,000 records the 1,000 with most mistakes" in page and "and 9,980 more" in page


def test_two_runs_side_by_side(run: RunDir, tmp_path: Path) -> None:
    other = RunDir.create(tmp_path / "other", replace(run.plan, board="host"))
    for name in ("100", "208"):  # as the first run has them, but for the V beats of one record
        made, events = run.read_result(name), run.read_events(name)
        if name == "208":
            made = made_up_result("208", 2, wrong=0.3)
            events.beats["label"][:7] = 2
        other.write_events(name, events, events.beats["t_samples"].astype(np.int64) * 2)
        other.write_result(name, made)
    found = compare_runs(run, other)
    write_comparison(tmp_path / "page.html", run, other, found)
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(page)
    assert checker.stack == [] and checker.outside == [] and checker.scripts == 0
    assert "default-src &#39;none&#39;; style-src" in page
    assert "7 differ" in page and "Only in run: 119." in page
    rows = dict(re.findall(r"<tr><td>([^<]+)</td>(.*?)</tr>", page))
    cells = {name: re.findall(r"<td[^>]*>(.*?)</td>", row) for name, row in rows.items()}
    one, two = summarize(run), summarize(other)
    assert cells["Board"] == [
        f"<code>{s.board} ({s.board_title.replace('<', '&lt;').replace('>', '&gt;')})</code>"
        for s in (one, two)
    ]
    f1 = [s.protocols.whole.gross.veb.f1 for s in (one, two)]
    assert f1[0] is not None and f1[1] is not None and f1[1] < f1[0]
    more = f"{100 * (f1[1] - f1[0]):+.2f}".replace("-", "−")
    assert cells["V F1, %"] == [percent(f1[0]), percent(f1[1]), more]
    table = page[page.index('id="records"') : page.index('id="trends"')]
    lines = re.findall(r"<tr>(<td>\d.*?)</tr>", table)
    records = [re.findall(r"<td[^>]*>(.*?)</td>", line) for line in lines]
    assert [r[0] for r in records] == ["208", "100"]  # what differs comes first
    assert [r[2] for r in records] == ["7", "0"]
    assert records[1][3] == records[1][4] and records[1][5] == ""  # the same: nothing more
    assert page.count("heart rate over time") == 4


def test_comparison_is_shown_of_two_runs_only(run: RunDir, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["compare", str(run.path), "--out", str(tmp_path / "p.html")])
    assert done.exit_code == 2 and "name a second run folder" in done.stderr
    assert not (tmp_path / "p.html").exists()


def test_strips_are_measured_in_a_browser(run: RunDir) -> None:
    """By mouse and by keyboard, under the page's own policy: the script is the one it allows."""
    write_report(run)
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1000, "height": 800})
        complaints: list[str] = []
        page.on("console", lambda message: complaints.append(message.text))
        page.goto((run.path / "report.html").as_uri())
        figure = page.locator("figure.ecg").first
        sheet, told = figure.locator(".sheet"), figure.locator("output")
        sheet.scroll_into_view_if_needed()
        one, two = (row.bounding_box() for row in figure.locator(".row").all())
        assert one is not None and two is not None and two["x"] == one["x"] + one["width"]
        mm = one["width"] / 125  # 5 s of 25 mm
        assert mm == pytest.approx(96 / 25.4, abs=0.01)
        x, y = two["x"] - 10 * mm, one["y"] + 10 * mm
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + 30 * mm, y + 7 * mm)  # over the edge of the first row
        page.mouse.up()
        assert told.inner_text() == "1200 ms (50 /min), 0.70 mV"
        boxes = [m.bounding_box() for m in figure.locator(".caliper:visible").all()]
        widths = [box["width"] / mm for box in boxes if box is not None]
        assert widths == pytest.approx([10, 20], abs=0.5)
        sheet.press("Escape")
        assert told.inner_text() == "" and figure.locator(".caliper:visible").count() == 0
        for _ in range(9):
            sheet.press("Shift+ArrowRight")
        assert told.inner_text() == "500 ms (120 /min), 0.00 mV"
        figure.locator("button").click()
        wide = figure.locator(".row").first.bounding_box()
        assert wide is not None and wide["width"] == pytest.approx(2 * one["width"], rel=0.01)
        assert told.inner_text() == "500 ms (120 /min), 0.00 mV"
        sheet.press("Home")  # scrolls there, which no other key does
        assert sheet.evaluate("sheet => sheet.scrollLeft") == 0
        sheet.press("End")
        assert told.inner_text().startswith("500") is False
        assert sheet.evaluate(
            "sheet => sheet.scrollLeft + sheet.clientWidth >= sheet.scrollWidth - 1"
        )
        assert complaints == []
