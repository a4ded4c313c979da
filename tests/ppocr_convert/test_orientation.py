"""Orientation networks: what they are fed with, and that a bundle's give the labels and probabilities of the models."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import ModelProto

import ppocr
from ppocr.contract import LINE_ORIENTATION, PAGE_ORIENTATION, NetworkFacts, Normalisation
from ppocr_api.errors import BundleError
from ppocr_cli import main
from ppocr_convert import builtin, description, orientation_head
from ppocr_convert.description import Description
from ppocr_convert.normalisations import HALF, IMAGENET_RGB
from ppocr_convert.orientation_head import Fit
from ppocr_convert.paddle_format.to_onnx import to_onnx
from predictor.bundle import Bundle
from tests import needs
from tests.ppocr_convert.conftest import Model, OrientationModels
from tests.ppocr_convert.networks import RNG, det_network, orientation_network, rec_network
from transformer.algorithms.thumbnails import line_thumbnails, page_thumbnail
from transformer.images import decode

DATA = Path(__file__).parents[1] / "data"
Array = NDArray[np.uint8]


def run(model: ModelProto | Path, items: NDArray[Any]) -> Sequence[NDArray[Any]]:
    content = str(model) if isinstance(model, Path) else model.SerializeToString()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return list(session.run(None, {session.get_inputs()[0].name: items}))


def normalised(pixels: Array, how: Normalisation) -> NDArray[np.float32]:
    ordered = pixels[..., ::-1] if how.channels == "BGR" else pixels
    return ((ordered / 255 - how.mean) / how.std).transpose(0, 3, 1, 2).astype(np.float32)


def image(name: str) -> Array:
    return decode((DATA / f"{name}.jpg").read_bytes())


def boxes(name: str) -> NDArray[np.float32]:
    """The labelled lines."""
    rows = (DATA / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    return np.array([row.split(",")[:8] for row in rows if row], np.float32).reshape(-1, 4, 2)


def lines(network: NetworkFacts, upside_down: bool) -> Array:
    """All lines of the images that the tests have, as `network` takes them."""
    found = [
        line_thumbnails(image(name), np.roll(boxes(name), 2 * upside_down, axis=1), network, 100_000_000)
        for name in ("075", "235", "585")
    ]
    return np.concatenate(found)


def built_in() -> Bundle:
    folder = Path(ppocr.__file__).parent / "bundles" / builtin.NAME / builtin.VERSION
    if not folder.is_dir():
        needs.missing("the built-in bundle")
    return Bundle.open(folder)


def network_of(bundle: Bundle, task: str) -> NetworkFacts:
    network = bundle.facts().of_task(task)
    assert network is not None
    return network


def test_the_built_in_line_network_is_the_published_one(orientation_models: OrientationModels) -> None:
    bundle = built_in()
    network = network_of(bundle, LINE_ORIENTATION)
    items = np.concatenate([lines(network, turned) for turned in (False, True)])
    (softmax,) = run(orientation_models.mobile, normalised(items, network.normalisation))
    labels, probabilities = run(bundle.onnx(network.name), items)
    assert (labels.dtype.name, labels.shape, probabilities.dtype.name) == ("int32", (len(items),), "float32")
    np.testing.assert_array_equal(labels, softmax.argmax(axis=1))
    np.testing.assert_allclose(probabilities, softmax.max(axis=1), atol=1e-5)


@pytest.mark.parametrize("upside_down", [False, True])
def test_the_built_in_line_network_tells_lines_apart(upside_down: bool) -> None:
    bundle = built_in()
    network = network_of(bundle, LINE_ORIENTATION)
    labels, probabilities = run(bundle.onnx(network.name), lines(network, upside_down))
    turned = (labels == network.labels.index("180")) & (probabilities >= network.parameters["threshold"])
    assert turned.mean() > 0.75 if upside_down else turned.mean() < 0.03


def test_the_built_in_page_network_is_the_published_one(orientation_models: OrientationModels) -> None:
    bundle = built_in()
    network = network_of(bundle, PAGE_ORIENTATION)
    pages = [
        np.ascontiguousarray(np.rot90(image(name), -turns)) for name in ("075", "235", "585") for turns in range(4)
    ]
    items = np.stack([page_thumbnail(page, network) for page in pages])
    (softmax,) = run(orientation_models.page, normalised(items, network.normalisation))
    labels, probabilities = run(bundle.onnx(network.name), items)
    np.testing.assert_array_equal(labels, softmax.argmax(axis=1))
    np.testing.assert_allclose(probabilities, softmax.max(axis=1), atol=1e-5)
    # A label is how many degrees clockwise the page stands turned.
    assert [network.labels[label] for label in labels.tolist()] == ["0", "90", "180", "270"] * 3
    assert (probabilities >= network.parameters["threshold"]).all()


def test_a_page_is_fed_as_paddlex_feeds_it() -> None:
    """Scaled by its short side, and the middle cut out: PaddleX's ResizeByShort and Crop, to a pixel."""
    network = network_of(built_in(), PAGE_ORIENTATION)
    network = dataclasses.replace(network, parameters={**network.parameters, "short_side": 256})
    page = image("075")
    height, width = page.shape[:2]
    scale = 256 / min(height, width)
    whole = cv2.resize(page, (round(width * scale), round(height * scale)), interpolation=cv2.INTER_AREA)
    top, left = ((side - 224) // 2 for side in whole.shape[:2])
    found = page_thumbnail(page, network)
    difference = np.abs(found.astype(int) - whole[top : top + 224, left : left + 224])
    assert difference.mean() < 6, "the same cut, but for a fraction of a pixel"


@pytest.mark.parametrize("normalisation", [HALF, IMAGENET_RGB])
@pytest.mark.parametrize(("task", "classes"), [(LINE_ORIENTATION, 2), (PAGE_ORIENTATION, 4)])
def test_a_head_gives_the_best_class_and_its_probability(normalisation: Normalisation, task: str, classes: int) -> None:
    source = orientation_network(classes)
    pixels = RNG.integers(0, 256, (5, 48, 64, 3), dtype=np.uint8)
    (softmax,) = run(source, normalised(pixels, normalisation))
    labels, probabilities = run(orientation_head.rebuild(source, task, Fit((48, 64), normalisation, {})), pixels)
    np.testing.assert_array_equal(labels, softmax.argmax(axis=1))
    np.testing.assert_allclose(probabilities, softmax.max(axis=1), rtol=1e-4)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (orientation_network(4), "has 4 classes; expected one for each of the angles 0, 180"),
        (det_network(), "doesn't end in a softmax"),
        (rec_network(2), "doesn't end in a softmax over classes"),
    ],
)
def test_another_network_is_refused(source: ModelProto, says: str) -> None:
    with pytest.raises(BundleError, match=says):
        orientation_head.rebuild(source, LINE_ORIENTATION, Fit((48, 64), HALF, {}))


def with_input(*shape: int | str) -> ModelProto:
    model = orientation_network(2)
    for dimension, size in zip(model.graph.input[0].type.tensor_type.shape.dim, shape, strict=True):
        dimension.Clear()
        if isinstance(size, int):
            dimension.dim_value = size
    return model


def test_lines_are_fed_by_what_the_input_says() -> None:
    pad = {"threshold": 0.9, "fit": "pad", "fill": 127}
    stretch = {"threshold": 0.9, "fit": "stretch"}
    free, fixed = with_input("N", 3, "H", "W"), with_input("N", 3, 80, 160)
    assert orientation_head.fit_of(free, LINE_ORIENTATION, Description()) == Fit((48, 192), HALF, pad)
    assert orientation_head.fit_of(fixed, LINE_ORIENTATION, Description()) == Fit((80, 160), IMAGENET_RGB, stretch)
    described = Description(size=(80, 160), normalisation=HALF)
    assert orientation_head.fit_of(free, LINE_ORIENTATION, described) == Fit((80, 160), HALF, stretch)


def test_pages_are_fed_by_what_the_inference_yml_says() -> None:
    free, fixed = with_input("N", 3, "H", "W"), with_input("N", 3, 224, 224)
    usual = Fit((224, 224), IMAGENET_RGB, {"threshold": 0.5, "fit": "crop", "short_side": 320})
    assert orientation_head.fit_of(fixed, PAGE_ORIENTATION, Description()) == usual == builtin.PAGE_FIT
    described = Description(short_side=256, crop=(224, 224))
    assert orientation_head.fit_of(free, PAGE_ORIENTATION, described).parameters["short_side"] == 256
    with pytest.raises(BundleError, match="itself gives its input size"):
        orientation_head.fit_of(free, PAGE_ORIENTATION, Description())


def test_a_bundle_of_four_networks_is_proven(
    v4: Model, orientation_models: OrientationModels, bundles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lines by the network of Paddle's format, pages by ONNX."""
    flags = ["--det", v4.det, "--rec", v4.rec, "--dict", v4.dictionary, "--name", "mine"]
    flags += ["--cls", orientation_models.mobile_paddle, "--page_orientation", orientation_models.page]
    assert main(["models", "convert", *map(str, flags), str(bundles)]) == 0
    said = capsys.readouterr().out
    for name in ("line_orientation", "page_orientation"):
        assert re.search(rf"^  {name}: 0 of [1-9]\d* labels differ, .*: passed$", said, re.MULTILINE)
    bundle = Bundle.open(bundles / "mine" / "1")
    bundle.verify()
    assert [network.name for network in bundle.facts().networks] == [
        "page_orientation",
        "det",
        "line_orientation",
        "rec",
    ]
    assert bundle.manifest.licence == "Apache-2.0"
    assert bundle.paddle("line_orientation")[0].name == "inference.pdmodel"


def test_the_paddle_network_of_lines_is_the_onnx_one(orientation_models: OrientationModels) -> None:
    program = orientation_models.mobile_paddle / "inference.pdmodel"
    x = RNG.normal(size=(3, 3, 48, 192)).astype(np.float32)
    (expected,) = run(orientation_models.mobile, x)
    (found,) = run(to_onnx(program, program.with_suffix(".pdiparams")), x)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_the_larger_line_network_converts_too(
    orientation_models: OrientationModels, tiny: Model, bundles: Path
) -> None:
    flags = ["--det", tiny.det, "--rec", tiny.rec, "--dict", tiny.dictionary, "--name", "mine", "--no_proof"]
    flags += ["--cls", orientation_models.lcnet]
    assert main(["models", "convert", *map(str, flags), str(bundles)]) == 0
    bundle = Bundle.open(bundles / "mine" / "1")
    network = network_of(bundle, LINE_ORIENTATION)
    assert dict(network.parameters) == {"threshold": 0.9, "fit": "stretch"}
    items = np.concatenate([lines(network, turned) for turned in (False, True)])
    (softmax,) = run(orientation_models.lcnet, normalised(items, IMAGENET_RGB))
    labels, probabilities = run(bundle.onnx(network.name), items)
    np.testing.assert_array_equal(labels, softmax.argmax(axis=1))
    np.testing.assert_allclose(probabilities, softmax.max(axis=1), atol=1e-5)


def test_classes_in_another_order_are_refused(tiny: Model, bundles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "cls"
    folder.mkdir()
    onnx.save(orientation_network(2), folder / "network.onnx")
    described = {"PreProcess": {"transform_ops": []}, "PostProcess": {"Topk": {"label_list": ["180", "0"]}}}
    (folder / "inference.yml").write_text(json.dumps(described))
    assert description.read((folder / "inference.yml").read_bytes(), "inference.yml").labels == ("180", "0")
    flags = ["--det", tiny.det, "--rec", tiny.rec, "--dict", tiny.dictionary, "--no_proof", "--cls", folder]
    assert main(["models", "convert", *map(str, flags), str(bundles)]) == 1
    assert not list(bundles.iterdir())
