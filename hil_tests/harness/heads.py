"""Patients' heads in a replay: fitted on a record's first minutes, on the board while it runs."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from einthoven.codegen import model
from einthoven.codegen.head import Head, pack, replaced
from einthoven.errors import BoardError
from einthoven.hil_tests.harness.device import Device
from einthoven.native.engine import HostModel, TflmModel

Fit = Callable[[model.ModelFolder, HostModel, Path, str, str | None, float], Head]
"""Who fits a head passes this in: the head for the patient of a record, from its first minutes.

Of the model, its engine on the host, the records' folder, the record's name, its lead (None: the
usual one) and the minutes.
"""


@dataclass(frozen=True)
class Adapted:
    """A head in all its forms: `parameters` for board and host, `tflm` to check both with."""

    head: Head
    parameters: bytes
    tflm: TflmModel | None


class Adapter:
    """Fits heads for the model in `folder`, which the firmware must have been generated from."""

    def __init__(self, folder: Path, minutes: float, host: HostModel, tflm: bool, fit: Fit) -> None:
        """`tflm`: make a TFLite Micro model of each head, too. Raises ModelError."""
        self._model = model.load(folder)
        self._minutes = minutes
        self._host = host
        self._tflm = tflm
        self._fit = fit

    def adapt(self, folder: Path, name: str, lead: str | None) -> Adapted:
        """The head for record `name`. Raises RecordError, ModelError."""
        head = self._fit(self._model, self._host, folder, name, lead, self._minutes)
        tflm = TflmModel(replaced(self._model, head)) if self._tflm else None
        return Adapted(head, pack(self._model, head), tflm)


@contextmanager
def on_board(device: Device, adapted: Adapted | None) -> Iterator[None]:
    """The board computes with that head in the block, and without one after it.

    Raises BoardError for a board that holds somebody's head already: it is not ours to overwrite.
    """
    if device.hello.head == "active":
        raise BoardError(
            f"the board on {device.url} holds a patient's head: remove it first "
            "(einthoven adapt --remove), or its beats are not the model's"
        )
    if adapted is None:
        yield
        return
    device.upload_head(adapted.head.model_sha256, adapted.parameters)
    try:
        yield
    finally:
        device.remove_head()
