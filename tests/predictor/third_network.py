"""A network that nothing in the project knows: a classifier of small images by which of two channels is brighter."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from ppocr.contract import NetworkFacts
from predictor.bundle import Bundle
from predictor.manifest import MANIFEST, Manifest, file_record
from tests.predictor.facts import CLS

#: Red is brighter: 0. Blue is brighter: 180.
FACTS = CLS
#: What the mean of a channel, of 255, counts in the logits.
WEIGHT = 8.0


def graph() -> bytes:
    """UINT8 [N,32,64,3] → label INT32 [N], probability FP32 [N]."""
    batch = "N"
    size = [FACTS.grid.height.minimum, FACTS.grid.width.minimum, 3]
    weights = np.array([[WEIGHT / 255, 0], [0, 0], [0, WEIGHT / 255]], np.float32)
    nodes = [
        helper.make_node("Cast", ["thumbnails"], ["floats"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["floats"], ["means"], axes=[1, 2], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["classes"], axis=1),
        helper.make_node("ReduceMax", ["classes"], ["probability"], axes=[1], keepdims=0),
        helper.make_node("ArgMax", ["classes"], ["best"], axis=1, keepdims=0),
        helper.make_node("Cast", ["best"], ["label"], to=TensorProto.INT32),
    ]
    made = helper.make_graph(
        nodes,
        "cls",
        [helper.make_tensor_value_info("thumbnails", TensorProto.UINT8, [batch, *size])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT32, [batch]),
            helper.make_tensor_value_info("probability", TensorProto.FLOAT, [batch]),
        ],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def in_paddles_format(folder: Path, pir: bool) -> dict[str, bytes]:
    """The files of the same network in Paddle's own format, .json of PIR or .pdmodel, by their names in a bundle."""
    script = Path(__file__).parent / "paddle_classifier.py"
    command = [sys.executable, str(script), str(folder / "inference"), str(WEIGHT)]
    subprocess.run(command, check=True, env={**os.environ, "FLAGS_enable_pir_api": str(int(pir))})
    return {f"{FACTS.name}/{path.name}": path.read_bytes() for path in folder.iterdir()}


def put(
    root: Path, version: str, source: Bundle, names: tuple[str, ...], further: Mapping[str, bytes] | None = None
) -> Path:
    """Version `version` of the bundle three: the networks of `source` and the third, those of `names` in that order.

    `further` are files of it beside the networks' ONNX.
    """
    folder = root / "three" / version
    folder.mkdir(parents=True)
    for name in source.manifest.files:
        shutil.copy(source.path / name, folder / name)
    contents = {f"{FACTS.name}.onnx": graph(), **(further or {})}
    for name, content in contents.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
    known: dict[str, NetworkFacts] = {network.name: network for network in (*source.manifest.networks, FACTS)}
    manifest = Manifest(
        name="three",
        version=version,
        licence="Apache-2.0",
        source="a test",
        networks=tuple(known[name] for name in names),
        labels_files={name: file for name, file in source.manifest.labels_files.items() if name in names},
        files={**source.manifest.files, **{name: file_record(content) for name, content in contents.items()}},
    )
    (folder / MANIFEST).write_text(manifest.to_json())
    return folder


def thumbnails(*labels: int) -> np.ndarray:
    """UINT8 [N,32,64,3] that are of those labels, 0 or 1, each of another shade."""
    images = np.zeros((len(labels), 32, 64, 3), np.uint8)
    for place, label in enumerate(labels):
        images[place, ..., 2 * label] = 255 - place
    return images


def probabilities(*labels: int) -> np.ndarray:
    """What the network says of `thumbnails(*labels)`, FLOAT [N]."""
    shades = 1 - np.arange(len(labels)) / 255
    return (1 / (1 + np.exp(-WEIGHT * shades))).astype(np.float32)
