"""Generate a second network for the firmware: one input, from the host, and one output.

The firmware's model takes the core's tensors. A build with EIN_NETWORK carries another network
beside it, that bench runs (docs/boards.md); its names begin with `ein_network`, so that both link.
"""

from einthoven.aami import CLASSES
from einthoven.codegen.engine import reader
from einthoven.codegen.engine.emit import Description, emit
from einthoven.codegen.engine.graph import Graph
from einthoven.codegen.engine.lower import Goal, lower
from einthoven.codegen.engine.planner import plan
from einthoven.codegen.model import c_safe
from einthoven.errors import ModelError

SYMBOL = "ein_network"


def graph_of(tflite: bytes, optimize: Goal = "speed") -> Graph:
    """The engine's graph. Raises ModelError when the engine lacks an op, or inputs are several."""
    graph = lower(reader.parse(tflite), optimize)
    if len(graph.inputs) != 1 or len(graph.outputs) != 1:
        raise ModelError("a study's model has one input and one output")
    return graph


def files(tflite: bytes, name: str, sha256: str, optimize: Goal = "speed") -> dict[str, str]:
    """File name to text of `ein_network.{h,c}`. Raises ModelError as above, or if the wire's
    bench_reply has no room for the outputs.
    """
    graph = graph_of(tflite, optimize)
    if graph.outputs[0].size > len(CLASSES):
        raise ModelError(
            f"{name} has {graph.outputs[0].size} outputs, a reply of the board has room for "
            f"{len(CLASSES)}"
        )
    return emit(graph, plan(graph), Description(c_safe(name), sha256, symbol=SYMBOL))
