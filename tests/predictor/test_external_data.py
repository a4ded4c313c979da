"""Weights beside an ONNX file are read where the manifest lists them, and from nowhere else."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from ppocr_api.errors import BundleError
from predictor import external_data
from predictor.bundle import Bundle
from predictor.manifest import FileRecord
from tests.predictor.facts import on_disk


def _bundle(folder: Path, content: bytes, also: tuple[str, ...] = ()) -> Bundle:
    folder = on_disk(folder / "small", "small", "1")
    bundle = Bundle.open(folder)
    (folder / "det.onnx").write_bytes(content)
    names = dict.fromkeys(("det.onnx", *also), FileRecord("0" * 64, 1))
    return dataclasses.replace(bundle, manifest=dataclasses.replace(bundle.manifest, files=names))


def _tensor(location: str) -> TensorProto:
    tensor = numpy_helper.from_array(np.ones(4, np.float32), "weights")
    onnx.external_data_helper.set_external_data(tensor, location)
    tensor.ClearField("raw_data")
    return tensor


def _model(location: str, where: str) -> bytes:
    """A model with one tensor outside of it: among the initializers, in a node's attribute, or in a node's inner graph."""
    tensor = _tensor(location)
    nodes, initializers = [], []
    if where == "initializer":
        initializers = [tensor]
    elif where == "attribute":
        nodes = [helper.make_node("Constant", [], ["c"], value=tensor)]
    else:
        inner = helper.make_graph([helper.make_node("Constant", [], ["c"], value=tensor)], "inner", [], [])
        nodes = [helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)]
    return helper.make_model(helper.make_graph(nodes, "g", [], [], initializers)).SerializeToString()


@pytest.mark.parametrize("where", ["initializer", "attribute", "inner graph"])
@pytest.mark.parametrize("location", ["../../secret", "/etc/passwd", "weights.bin"])
def test_a_file_that_the_manifest_doesn_t_list(tmp_path: Path, where: str, location: str) -> None:
    with pytest.raises(BundleError, match="its manifest doesn't list"):
        external_data.check(_bundle(tmp_path, _model(location, where)))


def test_a_file_that_it_lists(tmp_path: Path) -> None:
    external_data.check(_bundle(tmp_path, _model("weights.bin", "initializer"), ("weights.bin",)))


def test_no_onnx_at_all(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="is not a readable ONNX file"):
        external_data.check(_bundle(tmp_path, b"\xff" * 100))


def test_a_large_file_of_no_network_is_not_read(tmp_path: Path) -> None:
    bundle = _bundle(tmp_path, _model("weights.bin", "initializer"), ("weights.bin", "notes.onnx"))
    with (bundle.path / "notes.onnx").open("wb") as file:
        file.truncate(1 << 40)
    external_data.check(bundle)


def test_the_built_in_bundle_passes() -> None:
    import ppocr

    external_data.check(Bundle.open(Path(ppocr.__file__).parent / "bundles" / "ppocrv6-small" / "1"))
