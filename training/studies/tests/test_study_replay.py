"""`einthoven replay --model` of a study's run, with a network that nobody trained."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from einthoven.codegen.network import graph_of
from einthoven.codegen.testing.random_models import ConvCase, Scribe
from einthoven.codegen.testing.tflite_builder import RELU
from einthoven.hil_tests.harness import network
from einthoven.native.tflm import run_tflm
from einthoven.records.synth import make_record
from einthoven.training.studies import replay
from einthoven.training.studies.registry import load_examples
from einthoven.training.studies.runs import Sources, facts_of
from einthoven.training.studies.shared.fit import decide
from einthoven.training.studies.shared.recipe import load

RECIPE = """
study = "cardiacnet"
name = "made_up"
network = "cardiacnet"
dataset = "windows128"
protocol = "{protocol}"
[data]
records = "100"
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record as MIT-BIH's: two minutes, with ectopic beats."""
    folder = tmp_path_factory.mktemp("records")
    make_record(5, 120.0, 360.0).write(folder, "100")
    return folder


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    """What `train` and `quantize` leave of a network that takes the study's windows."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "recipe.toml").write_text(RECIPE.format(protocol="random_beats"))
    recipe = load(folder / "recipe.toml")
    sources = Sources(data)
    facts = facts_of(recipe, load_examples(recipe, data, None), sources, quick=False)
    (folder / "training.json").write_text(json.dumps(facts))
    (folder / "float.weights.h5").write_bytes(b"")
    (folder / "epochs").write_text("3\n")
    s = Scribe(4)
    source = s.input([1, 1, 128, 1])
    x = s.conv(source, ConvCase(128, 1, 8, 5, 2, activation=RELU))
    content = s.b.finish([source], [s.dense(s.mean(x), 1)])
    (folder / "ptq").mkdir()
    (folder / "ptq" / "model.tflite").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    about = {"name": "made_up-ptq", "study": "cardiacnet", "sha256": digest, "epochs": 3}
    (folder / "ptq" / "model.json").write_text(json.dumps(about))
    return folder


def test_the_test_examples_go_through_the_firmware(
    run: Path, data: Path, tmp_path: Path, einthoven: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    out = tmp_path / "out"
    given = ("replay", "--model", run / "ptq", "--board", "host", "--data", data, "--out", out)
    assert einthoven(*given, "--beats", 20) == 0
    printed = capsys.readouterr().out
    assert "made_up in the firmware of host, beside its model" in printed
    assert "20 of 23 examples, 0 differ from TensorFlow Lite Micro" in printed
    summary = json.loads((out / "summary.json").read_text())
    assert (summary["beats"], summary["beats_of_test_set"], summary["differing"]) == (20, 23, 0)
    assert not summary["trained_on_these"] and summary["count_unit"] == "nanoseconds"

    case = replay.case_of(run, Sources(data))
    [raw] = run_tflm(case.tflite, [case.inputs(20)], 1)
    zero_point = graph_of(case.tflite).outputs[0].zero_point
    right = decide(raw.astype(np.int32) - zero_point) == case.examples.y[:20]
    assert summary["int8"]["accuracy"] == right.mean()
    assert sum(map(sum, summary["int8"]["confusion"])) == 20


def test_an_output_that_differs_is_exit_code_1(
    run: Path, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    einthoven: Callable[..., int],
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    def off_by_one(*given: object) -> object:
        [expected] = run_tflm(*given)  # type: ignore[arg-type]
        expected[3] ^= 1
        return [expected]

    monkeypatch.setattr(network, "run_tflm", off_by_one)
    given = ("replay", "--model", run, "--board", "host", "--data", data, "--out", tmp_path / "o")
    assert einthoven(*given) == 1
    assert "23 of 23 examples, 1 differ" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--records", "100"), "leave --records out"),
        (("--db", "svdb"), "--db does not suit"),
        (("--lead", "V5"), "--lead does not suit"),
        (("--jobs", 2), "--jobs does not suit"),
        (("--tflm", "none"), "--tflm does not suit"),
        (("--adapt", 5), "--adapt does not suit"),
        (("--resume",), "--resume does not suit"),
        (("--board", "esp32dev"), "esp32dev with a second network is not built here"),
        (("--model", "{run}/elsewhere"), "elsewhere is no model of"),
        (("--model", "{moved}"), "without its training"),
        (("--model", "{float}"), "is not quantized: einthoven quantize"),
        (("--model", "{older}"), "the training went on since"),
        (("--model", "{images}"), "65 million weights"),
        (("--model", "{patients}"), "say whose with --records, such as --records 203"),
        (("--model", "{patients}", "--records", "100"), "holds no int8 model"),
        (("--model", "training/shipped"), "--beats and --kaggle are for models of reference"),
    ],
)
def test_mistakes_are_one_line_and_exit_code_2(
    run: Path, data: Path, tmp_path: Path, arguments: tuple[object, ...], named: str,
    einthoven: Callable[..., int], capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    folders = {"run": run, "moved": tmp_path / "moved"}
    (run / "elsewhere").mkdir(exist_ok=True)
    folders["moved"].mkdir()
    (folders["moved"] / "model.json").write_bytes((run / "ptq" / "model.json").read_bytes())
    for name, protocol, more, copied in (
        ("float", "random_beats", "", ()),
        ("older", "random_beats", "", ("ptq/model.json", "ptq/model.tflite")),
        ("images", "random_beats", 'view = "vgg16"', ()),
        ("patients", "patient_specific", "", ()),
    ):
        folders[name] = tmp_path / name
        (folders[name] / "ptq").mkdir(parents=True)
        for file in ("training.json", "float.weights.h5", *copied):
            (folders[name] / file).write_bytes((run / file).read_bytes())
        (folders[name] / "epochs").write_text("4\n")
        (folders[name] / "recipe.toml").write_text(RECIPE.format(protocol=protocol) + more)
    given = ["--model", str(run), "--board", "host", "--beats", 5, "--data", data]
    given += [str(a).format(**folders) for a in arguments]
    assert einthoven("replay", *given, "--out", tmp_path / "out") == 2
    message = capsys.readouterr().err
    assert named in message and len(message.strip().splitlines()) == 1
    assert not (tmp_path / "out").exists(), "the same command, put right, can be given again"
