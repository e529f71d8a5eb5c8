"""Random residual networks through TensorFlow's converter, against TFLite Micro, layer by layer."""

from pathlib import Path

from einthoven.codegen.testing.converted_models import check
from einthoven.codegen.testing.many_models import PLACES


def test_fifty_converted_graphs(kernels: Path, tmp_path: Path) -> None:
    """On the host under sanitizers, the emulated Cortex-M4 and rv32, extremes among the inputs."""
    assert not check(range(50), PLACES, kernels, tmp_path)
