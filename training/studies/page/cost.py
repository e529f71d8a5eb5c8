"""The page's tables of what the networks cost: the chip, the looks at DS2, the time."""

from collections.abc import Mapping

from einthoven.hil_tests.harness.network import GOALS
from einthoven.paths import TRAINING
from einthoven.training.studies import board
from einthoven.training.studies.page.tables import DASH, duration, epochs, prose, table
from einthoven.training.studies.shared.results import Result

SHARED = (
    "`cardiacnet_patients` and `deep_mi` shared the cores with each other and up to seven more: 57 "
    "and 23 minutes of theirs were processor time."
)
"""Seen when they were trained; runs keep their wall time only."""
RECIPES = TRAINING / "recipes" / "studies"


def chip_table(found: dict[str, Result]) -> str:
    """What each network costs on the emulated STM32F405, and which chips hold it, how stored."""
    rows = [
        (
            f"`{r.name}`", f"{r.params:,}", f"{r.macs:,}",
            f"{r.tflite_bytes:,}" if r.tflite_bytes else DASH,
            _each(r.board, "arena_bytes"), _each(r.board, "ram_bytes"),
            _each(r.board, "flash_bytes"), _each(r.board, "instructions"), _exact(r.board),
            *(_fit(r.board, chip) for chip in board.CHIPS),
        )
        for r in sorted(found.values(), key=lambda r: (r.study, r.name))
        if r.board
    ]  # fmt: skip
    head = (
        "recipe", "parameters", "multiply-adds", "`.tflite` B", "arena B", "image: RAM B",
        "flash B", "instructions", "bit-exact", *(chip.name for chip in board.CHIPS),
    )  # fmt: skip
    text = prose(
        "Each network in the firmware, beside the model that it ships with, on the STM32F405 in "
        "QEMU: beats of its test set go over the serial protocol to the board, and every int8 "
        "output that comes back is compared with TensorFlow Lite Micro's. That is what "
        "`einthoven replay --model RUN --board NAME` does for one of them on any board "
        "([replay.md](replay.md)). Instructions (executed, not cycles) are those of an inference. "
        "Flash and RAM are of the whole image as linked, model and stack included; the arena is "
        "the network's own part. Weights can be stored for speed or for size; where there are two "
        "figures, the first is for speed; the beats are those of both."
    )
    chips = prose(
        "The last columns say how the weights are stored on a chip, for speed if that image fits, "
        "else for size, else by how much that exceeds it. `boards/stm32f4/stm32f4.ld` gives an "
        "image all of a chip's flash but the last sector, which keeps a patient's head: 896 KB of "
        "the F405RG's 1 MB, 384 KB of F411CE's and F446RE's 512. The ESP32s are by the same "
        "image, Arduino's default partition (1.25 MB) and the smaller RAM of the data sheets: "
        "what their code and Arduino's core take was not measured. VGG16's row is its weights and "
        "activations, a byte each, alone."
    )
    looks = prose(
        "A recipe of DS1 → DS2 has beats of DS2 replayed here: the networks were final and had "
        "been scored on them, these are the same, and nothing is chosen by what the board says, "
        "so it is not counted as a look. Of a recipe in folds by patient, the network of all "
        "patients runs. Bits and costs are what this table is about; scores are below."
    )
    return f"{text}\n\n{chips}\n\n{looks}\n\n{table(head, rows)}"


def _each(costs: Mapping[str, Mapping[str, int]] | None, key: str) -> str:
    """The figure for speed and that for size; once if they are the same."""
    figures = [f"{(costs or {})[g][key]:,}" for g in GOALS if key in (costs or {}).get(g, {})]
    return " / ".join(dict.fromkeys(figures)) or DASH


def _exact(costs: Mapping[str, Mapping[str, int]] | None) -> str:
    run = [cost for cost in (costs or {}).values() if "beats" in cost]
    beats, wrong = (sum(cost[key] for cost in run) for key in ("beats", "differing"))
    if wrong:
        return f"no: {wrong} beats differ"
    return f"{beats:,} of {beats:,} beats" if run else DASH


def _fit(costs: Mapping[str, Mapping[str, int]] | None, chip: board.Chip) -> str:
    """speed, size, or by how much the smaller exceeds it."""
    costs = costs or {}
    goal = board.goal_for(costs, chip)
    if goal is not None:
        return goal
    smaller = costs[[g for g in GOALS if g in costs][-1]]
    return "no: " + ", ".join(
        f"{what} by {n:,} B" for what, n in board.over(smaller, chip).items() if n
    )


def looks_at_ds2(found: dict[str, Result]) -> str:
    """How often each network was scored on DS2."""
    looked = [r for r in sorted(found.values(), key=lambda r: (r.study, r.name)) if r.looks]
    if not looked:
        return "None so far."
    each = ", ".join(f"`{r.name}` {r.looks}" for r in looked)
    return prose(
        f"{sum(r.looks for r in looked)} in all, float and (if quantized) int8 together: {each}. "
        "`python -m einthoven.training.studies.measure` counts them, each time that it scores; "
        "a network that is trained on and measured again is looked at again. They measure the "
        "studies' networks; nothing of the shipped model was chosen by them, and what changed of a "
        "recipe after a look was how much it trains (epochs, images), which DS2 did not decide."
    )


def runs_table(found: dict[str, Result]) -> str:
    """Commands and times."""
    ran = sorted(found.values(), key=lambda r: (r.study, r.name))
    rows = [(f"`{r.name}`", _done(r), duration(r.train_seconds), duration(_whole(r))) for r in ran]
    text = (
        "```sh\n"
        "einthoven train training/recipes/studies/NAME.toml --out runs/studies/NAME\n"
        "einthoven quantize runs/studies/NAME\n"
        "python -m einthoven.training.studies.measure runs/studies/NAME\n"
        "python -m einthoven.training.studies.page\n"
        "```\n\n"
    )
    text += prose(
        "`measure` prints what `einthoven evaluate` does, so that evaluating as well would be one "
        "more look at DS2. `train` takes `--quick` (under two minutes, little data, its figures "
        "mean nothing) and `--kaggle DIR` for the published CSV files instead of records. "
        "`--epochs N` stops after so many epochs and `--resume` goes on: with N = 5, then 10, and "
        "so on, a long training comes in pieces of any length (one that has many trainings is "
        "broken off with Ctrl-C and goes on with `--resume`)."
    )
    missing = sorted(p.stem for p in RECIPES.glob("*.toml") if p.stem not in found)
    waiting = ", ".join(f"`{name}`" for name in missing)
    whole = prose(
        _times(ran) + (f" Without a result, and not in these times: {waiting}." * bool(missing))
    )
    head = ("recipe", "done", "took", "the whole")
    return f"{text}\n\n{whole}\n\n{table(head, rows)}"


def _times(ran: list[Result]) -> str:
    if not ran:
        return ""
    longest = max(ran, key=_whole)
    return (
        "Times are wall time of training on two cores that other work shared, so an idle machine "
        "is quicker; the last column is the same rate over all that the recipe asks for (of a "
        "grid at most, since its pre-training is done once), "
        f"{duration(sum(map(_whole, ran)))} in all, of which "
        f"{duration(sum(r.train_seconds for r in ran))} were run. The longest is "
        f"`{longest.name}` with {duration(_whole(longest))}. {SHARED}"
    )


def _grid(result: Result) -> tuple[int, int]:
    """Settings that were tried on every record, and that the recipe has."""
    grid = result.extra.get("grid", {"tried": 1, "of": 1})
    return grid["tried"], grid["of"]


def _done(result: Result) -> str:
    tried, of = _grid(result)
    return f"{tried} of {of} settings" if of > 1 else f"{epochs(result)} epochs"


def _whole(result: Result) -> float:
    """Seconds of the whole training at the rate of what was run."""
    tried, of = _grid(result)
    share = result.epochs / result.epochs_full * tried / of
    return result.train_seconds / share if share else result.train_seconds
