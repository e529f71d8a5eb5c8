"""Commands that make and read runs: replay, demo, report, compare."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from einthoven.commands.options import (
    Boards,
    Checksum,
    CsvGain,
    CsvRate,
    Data,
    Database,
    Gain,
    Jobs,
    Kaggle,
    Lead,
    Port,
    Units,
)

if TYPE_CHECKING:
    from einthoven.hil_tests.harness.arithmetics import FloatNetwork
    from einthoven.hil_tests.harness.heads import Fit
    from einthoven.hil_tests.harness.replay import Options
    from einthoven.report.run import RunDir

DEMO_RECORDS = "100,119,208,213,232"
DEMO_BOARD = "qemu_stm32f405"
DEMO_DEVICE = "host_device"


def replay(
    board: Annotated[
        str | None, typer.Option(help="Board (see: einthoven boards).", show_default=False)
    ] = None,
    records: Annotated[
        str | None,
        typer.Option(
            help="100,119 or ds1, ds2, all, patterns (1*), @FILE with one a line.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Run folder (default: runs/<time>-<board>).", show_default=False),
    ] = None,
    data: Data = None,
    db: Database = "mitdb",
    lead: Lead = None,
    port: Port = None,
    jobs: Jobs = 1,
    tflm: Annotated[
        Literal["sample", "all", "none"],
        typer.Option(
            help="Beats on which the engine is checked against TensorFlow Lite Micro, too: each "
            "record's first and one of 13 from there on, or all, or none."
        ),
    ] = "sample",
    model: Annotated[
        Path | None,
        typer.Option(
            help="Folder of an int8 model, or of the training that made it, to build the "
            "firmware with (default: the shipped one); or of a "
            "reference study's training, whose network then goes into the firmware beside the "
            "model, and its test examples through the board.",
            show_default=False,
        ),
    ] = None,
    adapt: Annotated[
        float | None,
        typer.Option(
            help="Minutes of each record (5 or less) on which a head for its patient is fitted "
            "and given to the board; scores without and with it stand side by side.",
            show_default=False,
        ),
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the run in --out.")] = False,
    beats: Annotated[
        int | None,
        typer.Option(
            min=1, help="Reference studies: how many examples (default: 1000).", show_default=False
        ),
    ] = None,
    kaggle: Kaggle = None,
    fleet: Annotated[
        Path | None,
        typer.Option(
            help="Fleet file: share the records out over its devices, instead of --board.",
            show_default=False,
        ),
    ] = None,
    cluster: Annotated[
        str | None,
        typer.Option(
            help="With --fleet: Dask scheduler (tcp://host:8786) of the machines where its devices "
            "are plugged in.",
            show_default=False,
        ),
    ] = None,
    boards: Boards = None,
    gain: Gain = None,
    units: Units = None,
    csv_rate: CsvRate = None,
    csv_gain: CsvGain = None,
    checksum: Checksum = True,
) -> None:
    """Replay records through a board, check every beat on the host, score as EC57 does."""
    from einthoven.errors import UsageError
    from einthoven.hil_tests.harness.replay import Options, new_run_path, replay_run, resume_options
    from einthoven.paths import SHIPPED_MODEL
    from einthoven.report.text import console

    if model is not None and _is_study(model):
        _refuse_for_study(
            ("--db", db != "mitdb"), ("--lead", lead is not None), ("--jobs", jobs != 1),
            ("--tflm", tflm != "sample"), ("--adapt", adapt is not None), ("--resume", resume),
            ("--gain", gain is not None), ("--units", units is not None),
            ("--csv-rate", csv_rate is not None), ("--csv-gain", csv_gain is not None),
        )  # fmt: skip
        _replay_study(model, board, records, out, data, port, beats, kaggle)
        return
    if beats is not None or kaggle is not None:
        raise UsageError("--beats and --kaggle are for models of reference studies (--model)")
    if resume:
        if out is None:
            raise UsageError("--resume needs the run to go on with: add --out FOLDER")
        options = resume_options(out)
        for name, given, was in (
            ("board", board, options.board),
            ("records", records, options.records),
            ("lead", lead, options.lead),
            ("gain", gain, options.gain),
            ("units", units, options.units),
            ("csv-rate", csv_rate, options.csv_rate),
            ("csv-gain", csv_gain, options.csv_gain),
        ):
            if given is not None and given != was:
                raise UsageError(f"the run in {out} has --{name} {was}: leave --{name} out")
        if data is not None or port is not None:
            options = options.moved(data, port)
    else:
        if (board is None and fleet is None) or records is None:
            raise UsageError(
                "say what to replay on what: --board NAME (see: einthoven boards) and "
                "--records 100,119|ds1|ds2|all"
            )
        options = Options(
            board or "", records, data, db, lead, port, tflm,
            model=model or SHIPPED_MODEL, adapt=adapt, gain=gain, units=units,
            checksum=checksum, csv_rate=csv_rate, csv_gain=csv_gain,
        )  # fmt: skip
        out = out or new_run_path(board or "fleet")
    if fleet is not None:
        run = _on_fleet(options, fleet, board, port, out, resume, cluster)
    elif cluster is not None:
        raise UsageError("--cluster is for --fleet")
    else:
        run = replay_run(
            options, out, jobs, console(), resume, _fit_of(options.adapt), _float_of(options.model)
        )
    _show(run)
    bad = run.read_bad()
    if bad:
        screen = console(stderr=True)
        screen.print(f"{len(bad)} of {len(bad) + len(run.finished())} records were not replayed:")
        for name, reason in bad.items():
            screen.print(f"  {name}: {reason}", soft_wrap=True, markup=False)
        raise typer.Exit(1)


def _on_fleet(
    options: "Options",
    fleet: Path,
    board: str | None,
    port: str | None,
    out: Path,
    resume: bool,
    cluster: str | None,
) -> "RunDir":
    from einthoven.errors import UsageError
    from einthoven.hil_tests.harness.fleet_replay import of_run, replay_fleet
    from einthoven.paths import SHIPPED_MODEL
    from einthoven.report.text import console

    if board is not None or port is not None:
        raise UsageError("--fleet says which boards there are: leave --board and --port out")
    if options.model != SHIPPED_MODEL:
        raise UsageError("--fleet replays what its devices were flashed with: leave --model out")
    screen = console()
    run = replay_fleet(options, fleet, [], out, screen, resume, cluster)
    made = of_run(run)
    if made is not None:
        boards = sorted(set(made.records.values()))
        for name in boards:
            theirs = [record for record, by in made.records.items() if by == name]
            screen.print(f"{name}: {', '.join(sorted(theirs))}", soft_wrap=True, markup=False)
        for lost in made.lost:
            text = f"{lost.board} was given up at record {lost.record}: {lost.why}"
            screen.print(text, soft_wrap=True, markup=False, style="yellow")
    return run


def _fit_of(minutes: float | None) -> "Fit | None":
    """What fits heads on so many minutes; None for a run without heads. Raises UsageError."""
    if minutes is None:
        return None
    from einthoven.training.adaptation.fit import adapt_record, require_minutes

    require_minutes(minutes)
    return adapt_record


def _float_of(model: Path) -> "FloatNetwork":
    """The float network that the model in that folder was quantized from, or why there is none."""
    from importlib.util import find_spec

    from einthoven.hil_tests.harness.arithmetics import FloatNetwork
    from einthoven.training.model.evaluate import float_beside, float_network
    from einthoven.training.model.train import FLOAT_MODEL

    folder = float_beside(model)
    if folder is None:
        return FloatNetwork(
            None,
            f"there is no {FLOAT_MODEL} of the training in {model.name} or the folder it is in",
        )
    if any(find_spec(module) is None for module in ("tensorflow", "tf_keras")):
        return FloatNetwork(None, "TensorFlow is not installed (pip install -e '.[train]')")
    return FloatNetwork(partial(float_network, folder))


def _is_study(model: Path) -> bool:
    from einthoven.training.studies.replay import is_study

    return is_study(model)


def _refuse_for_study(*options: tuple[str, bool]) -> None:
    from einthoven.errors import UsageError

    for option, given in options:
        if given:
            raise UsageError(
                f"a reference study's network is replayed on its recipe's own examples, which "
                f"{option} does not suit: leave it out"
            )


def _replay_study(
    model: Path,
    board: str | None,
    record: str | None,
    out: Path | None,
    data: Path | None,
    port: str | None,
    beats: int | None,
    kaggle: Path | None,
) -> None:
    from rich.progress import Progress

    from einthoven.boards.board import load_board
    from einthoven.errors import UsageError
    from einthoven.hil_tests.harness.replay import new_run_path
    from einthoven.report.text import console
    from einthoven.training.studies import replay as studies
    from einthoven.training.studies.runs import Sources

    if board is None:
        raise UsageError("say on what to replay: --board NAME (see: einthoven boards)")
    target, out = load_board(board), out or new_run_path(board)
    case = studies.case_of(model, Sources(data, kaggle), record)
    wanted = min(beats or studies.BEATS, len(case.examples))
    with Progress(console=console(stderr=True), transient=True) as bar:
        task = bar.add_task(case.name, total=wanted)

        def tell(done: int) -> None:
            bar.update(task, completed=done)

        summary = studies.replay(case, target, out, wanted, port, tell)
    console().print(studies.text(summary), soft_wrap=True)
    console().print(f"Summary: {out / 'summary.json'}", soft_wrap=True)
    console().print("Not a medical device.", style="dim")
    if summary["differing"]:
        raise typer.Exit(1)


def demo(
    board: Annotated[str, typer.Option(help="Board (see: einthoven boards).")] = DEMO_BOARD,
    out: Annotated[
        Path | None,
        typer.Option(help="Run folder (default: runs/<time>-<board>).", show_default=False),
    ] = None,
    data: Data = None,
    jobs: Jobs = 2,
    boards: Boards = None,
) -> None:
    """Replay five MIT-BIH records through an emulated STM32F405; then a device that works alone."""
    from einthoven.errors import DownloadError
    from einthoven.hil_tests.harness.replay import (
        Options,
        new_run_path,
        replay_run,
        synthetic_database,
        synthetic_strips,
    )
    from einthoven.records.download import find_database
    from einthoven.report.text import console

    out = out or new_run_path(board)
    screen = console()
    try:
        folder = find_database(data, "mitdb", DEMO_RECORDS)
        options = Options(board, DEMO_RECORDS, folder)
        screen.print(f"MIT-BIH records {DEMO_RECORDS} from {folder}", soft_wrap=True)
    except DownloadError as error:
        screen.print(
            f"No MIT-BIH records here, and none to be had ({error}).\n"
            "Replaying a SYNTHETIC record instead: it shows that the chain works; its figures say "
            "nothing about accuracy on patients.",
            style="bold yellow",
            soft_wrap=True,
        )
        folder = synthetic_database()
        options = Options(board, "all", folder, db="synthetic", synthetic=True)
    _show(replay_run(options, out, jobs, screen, network=_float_of(options.model)))
    strips = Options(board, "all", synthetic_strips(), db="synthetic", synthetic=True, tflm="none")
    _show_verdicts(replay_run(strips, out / "strips", 1, screen))
    _show_device(out / "device")


def _show_device(folder: Path) -> None:
    """A device that records alone, whose power goes, and whose log becomes a page."""
    from einthoven.boards.board import build, load_board
    from einthoven.hil_tests.harness.device_demo import show
    from einthoven.report.text import console

    screen = console()
    screen.print("\nA device that works without a computer", style="bold")
    board = load_board(DEMO_DEVICE)
    build(board)
    shown = show(board, folder, lambda line: screen.print(f"  {line}", soft_wrap=True))
    whole = sum(strip.complete for strip in shown.log.strips)
    screen.print(
        f"  {len(shown.log.strips)} strips in its log, {whole} of them whole: {shown.made[0]}",
        soft_wrap=True,
    )


def _show_verdicts(run: "RunDir") -> None:
    """A line a strip, as a device that was held for half a minute would say it."""
    from msgspec import UNSET

    from einthoven.report.text import console

    screen = console()
    screen.print("\nVerdicts on three synthetic strips of 30 s", style="bold")
    for name in run.finished():
        told = run.read_result(name).verdict
        if told is not UNSET:
            reasons = "; ".join(told.reasons)
            screen.print(f"  {name:<14}{told.verdict}  {told.probability:.0%}  {reasons}")
    screen.print("N regular, A atrial fibrillation, O other, ~ too noisy to say. Not a diagnosis.")


def report(
    run: Annotated[Path, typer.Argument(help="Run folder of a replay.")],
) -> None:
    """Build summary.json and report.html anew from a run folder, and print the tables."""
    from einthoven.report.files import write_report
    from einthoven.report.run import RunDir

    opened = RunDir.open(run)
    write_report(opened)
    _show(opened)


def compare(
    run: Annotated[Path, typer.Argument(help="Run folder of a replay.")],
    other: Annotated[
        Path | None, typer.Argument(help="Second run folder.", show_default=False)
    ] = None,
    layers: Annotated[
        bool, typer.Option("--layers", help="Compare every layer with TFLite Micro's, on the host.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option(help="Two runs: a page that shows them side by side.", show_default=False),
    ] = None,
) -> None:
    """Agreement of a run with the host, or of two runs: exit code 1 and the beats that differ."""
    from msgspec import UNSET

    from einthoven.components.words import number
    from einthoven.errors import UsageError
    from einthoven.hil_tests.harness.agreement import compare_runs, require_beats
    from einthoven.report.run import RunDir
    from einthoven.report.summary import summarize
    from einthoven.report.text import agreement_text, console
    from einthoven.report.words import difference_line

    screen = console()
    left = RunDir.open(run)
    if out is not None and (other is None or layers):
        raise UsageError("--out shows two runs side by side: name a second run folder")
    if layers:
        from einthoven.hil_tests.harness.layers import compare_layers

        if other is not None:
            raise UsageError("--layers takes one run: leave the second one out")
        require_beats(left, summarize(left).agreement)
        compared = compare_layers(left)
        screen.print(
            f"{compared.layers} layers of {compared.beats} beats compared with TFLite Micro, "
            f"{len(compared.differences)} beats differ"
        )
        for layer in compared.differences[:20]:
            screen.print("  " + layer.text(), soft_wrap=True)
        raise typer.Exit(1 if compared.differences else 0)
    if other is None:
        summary = summarize(left)
        agreement = summary.agreement
        require_beats(left, agreement)
        screen.print(agreement_text(agreement), soft_wrap=True)
        for name in left.finished():
            for difference in left.read_result(name).agreement.differences:
                screen.print("  " + difference_line(difference), soft_wrap=True)
        same = not (
            agreement.device_vs_host_int8
            or agreement.host_int8_vs_tflm
            or agreement.signal_states_differ
        )
        if summary.verdicts is not UNSET and summary.verdicts.differ:
            screen.print(f"{number(summary.verdicts.differ, 'verdict')} on strips differ")
            same = False
        raise typer.Exit(0 if same else 1)
    right = RunDir.open(other)
    found = compare_runs(left, right)
    differing = sum(found.differing.values())
    screen.print(
        f"{number(found.beats, 'beat')} in {number(len(found.records), 'record')} of both runs, "
        f"{differing:,} differ"
    )
    if found.states_differ:
        screen.print(f"changes of the signal's state: {found.states_differ:,} differ")
    for difference in found.differences:
        screen.print("  " + difference_line(difference), soft_wrap=True)
    for path, names in zip((run, other), found.only, strict=True):
        if names:
            screen.print(f"only in {path}: {', '.join(names)}", soft_wrap=True)
    if out is not None:
        from einthoven.report.side_by_side import write_comparison

        write_comparison(out, left, right, found)
        screen.print(f"Page: {out}", soft_wrap=True)
    raise typer.Exit(1 if differing or found.states_differ else 0)


def _show(run: "RunDir") -> None:
    from einthoven.report.summary import summarize
    from einthoven.report.text import console, summary_text

    screen = console(least=80)
    screen.print(summary_text(summarize(run)))
    screen.print(f"Report: {run.path / 'report.html'}", soft_wrap=True)
    screen.print("Not a medical device.", style="dim")
