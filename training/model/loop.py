"""The training loop that every network shares: epochs, checkpoints, log, progress.

A checkpoint is written after every epoch. A training that was broken off goes on there, to the
same weights as without a break, as long as an epoch's examples are a function of its number.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

LOG = "training_log.jsonl"
CHECKPOINTS = "checkpoints"

OnEpoch = Callable[[dict[str, Any]], None]
"""Called after every epoch with what the log gets of it."""


def run_epochs(
    model: Any,
    optimizer: Any,
    train_epoch: Callable[[int], list[float]],
    epochs: int,
    out: Path | None = None,
    on_epoch: OnEpoch = lambda entry: None,
) -> int:
    """Train `model` until `epochs` are done in all; returns the number of epochs that are done.

    `train_epoch(epoch)` trains one, counted from 0, and returns the loss of its batches. With
    `out`, checkpoints and log are kept there, and a training that was begun there is gone on with.
    """
    import tensorflow as tf

    done = tf.Variable(0, dtype=tf.int64)
    checkpoint = tf.train.Checkpoint(model=model, optimizer=optimizer, epochs=done)
    manager = None
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        manager = tf.train.CheckpointManager(checkpoint, str(out / CHECKPOINTS), max_to_keep=1)
        if manager.latest_checkpoint:
            checkpoint.restore(manager.latest_checkpoint).assert_consumed()
            _cut_log(out / LOG, int(done))
    for epoch in range(int(done), epochs):
        losses = train_epoch(epoch)
        done.assign(epoch + 1)
        entry = {"epoch": epoch + 1, "loss": round(float(np.mean(losses)), 6)}
        if out is not None and manager is not None:
            with (out / LOG).open("a") as log:
                log.write(json.dumps(entry) + "\n")
            manager.save()
        on_epoch(entry)
    return int(done)


def _cut_log(log: Path, epochs: int) -> None:
    """A log may hold an epoch more than the checkpoint when a training was killed between."""
    if log.exists():
        lines = log.read_text().splitlines(keepends=True)
        log.write_text("".join(lines[:epochs]))


@contextmanager
def progress_bar(name: str, epochs: int) -> Iterator[OnEpoch]:
    """A bar on the terminal; what it yields is `on_epoch` of `run_epochs`."""
    with Progress(
        TextColumn("train {task.description}"),
        BarColumn(),
        TextColumn("epoch {task.completed}/{task.total}, loss {task.fields[loss]}"),
        TimeRemainingColumn(),
    ) as progress:
        task = progress.add_task(name, total=epochs, loss="–")

        def show(entry: dict[str, Any]) -> None:
            progress.update(task, completed=entry["epoch"], loss=f"{entry['loss']:.3f}")

        yield show
