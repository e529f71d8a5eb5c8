"""LOGISTIC as a table: all 256 values of every scale and zero point tried, against TFLite Micro."""

from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.engine import reader
from einthoven.codegen.engine.lookup import logistic_table
from einthoven.codegen.engine.lower import lower
from einthoven.codegen.testing.host_target import run_sanitized
from einthoven.codegen.testing.random_models import Scribe
from einthoven.codegen.testing.tflite_builder import ModelBuilder
from einthoven.errors import ModelError
from einthoven.native.tflm import run_tflm

VALUES = np.arange(-128, 128, dtype=np.int8).reshape(1, 1, 1, 256, 1)


def test_every_value_of_many_scales() -> None:
    """Many LOGISTICs in one file, as an interpreter takes longer to start than to run."""
    rng = np.random.default_rng(1)
    scales = [2.0**-27, 1e-6, 0.003, 0.0625, 1.0, 4.0, 15.0, 16.0, 100.0, 1e6]
    scales += np.exp(rng.uniform(np.log(1e-3), np.log(3.0), 150)).tolist()
    b = ModelBuilder()
    inputs, outputs, tables = [], [], []
    for n, given in enumerate(scales):
        scale, zero = float(np.float32(given)), [-128, 127, 0, int(rng.integers(-128, 128))][n % 4]
        inputs.append(b.tensor([1, 1, 256, 1], scale, zero))
        outputs.append(b.tensor([1, 1, 256, 1], 1 / 256, -128))
        b.op("LOGISTIC", inputs[-1:], outputs[-1], 2)
        tables.append(logistic_table(scale, zero))
    theirs = run_tflm(b.finish(inputs, outputs), [VALUES] * len(scales), len(scales))
    for scale, table, one in zip(scales, tables, theirs, strict=True):
        assert table is not None
        np.testing.assert_array_equal(table, one[0], err_msg=f"scale {scale}")
    assert len({table for table in tables if table}) > 100


def test_generated_code(tmp_path: Path) -> None:
    s = Scribe(2)
    source = s.activation([1, 1, 256, 1], 0.04, 3)
    doubled = s.add(source, source)  # so that the table's input lies in the arena
    data = s.b.finish([source], [s.logistic(s.logistic(doubled))])
    ours = run_sanitized(lower(reader.parse(data)), [VALUES], tmp_path, tmp_path)
    np.testing.assert_array_equal(ours[0], run_tflm(data, [VALUES], 1)[0])
    assert len(np.unique(ours[0])) > 30


@pytest.mark.parametrize(
    ("scale", "out_scale", "out_zero", "message"),
    [(2.0**-29, 1 / 256, -128, "too small"), (0.1, 1 / 128, -128, "scale 1/256"),
     (0.1, 1 / 256, 0, "zero point -128")],
)  # fmt: skip
def test_what_is_refused(scale: float, out_scale: float, out_zero: int, message: str) -> None:
    b = ModelBuilder()
    source, out = b.tensor([1, 1, 4, 1], scale), b.tensor([1, 1, 4, 1], out_scale, out_zero)
    b.op("LOGISTIC", [source], out, 2)
    with pytest.raises(ModelError, match=message):
        lower(reader.parse(b.finish([source], [out])))
